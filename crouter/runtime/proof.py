"""What is known about the proofs of the running service: recorded results, counted only for exactly this version.

Results are recorded by `crouter proof`. They are shown if the policy and the code they were found on are the ones that
run, to the byte; otherwise nothing is green.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Final, Literal

RESULTS_FILE: Final = Path(".crouter", "proof.json")
PAGE_FILE: Final = "policy/proof.html"
DATA_FILE: Final = "policy/proof.json"

State = Literal["proven", "failed", "late", "configured", "vendor", "stale", "manual", "overdue", "missing"]

WORDS: Final[Mapping[State, str]] = {
    "proven": "Proven",
    "failed": "Failed",
    "late": "Late: its job has not run in time",
    "configured": "Configured",
    "vendor": "Declared by a vendor",
    "stale": "Declared by a vendor, out of date",
    "manual": "Kept by a person",
    "overdue": "Kept by a person, review overdue",
    "missing": "Missing",
}
_SLOT: Final = re.compile(r"<!--proof:([a-z0-9:-]+)-->.*?<!--/proof-->")


@dataclass(frozen=True, slots=True)
class Results:
    """Outcomes of tests by id (`tests/…::name`), and when they were found. Empty where none are of this version."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    ran_at: Mapping[str, str] = field(default_factory=dict)
    why_none: str = ""

    @property
    def are_of_this_version(self) -> bool:
        return not self.why_none


def read_results(file: Path, policy_digest: str, code: str) -> Results:
    """The results in a file, if they were found on this policy and this code."""
    try:
        told = json.loads(file.read_bytes())
        versions = (told["policy_digest"], told["code_digest"])
        tests = {str(name): (str(test["outcome"]), str(test["ran_at"])) for name, test in told["tests"].items()}
    except OSError:
        return Results(why_none="No test results were recorded for this service.")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Results(why_none="The recorded test results cannot be read.")
    if versions != (policy_digest, code):
        return Results(why_none="The recorded test results are of another version; none were run on this one.")
    return Results({name: test[0] for name, test in tests.items()}, {name: test[1] for name, test in tests.items()})


def claim_state(declared: State, tests: list[str], results: Results) -> State:
    """The state of a sentence that is `configured`, by the outcomes of all its tests; another state stays."""
    if declared != "configured":
        return declared
    outcomes = [results.outcomes.get(test, "not run") for test in tests]
    if "failed" in outcomes:
        return "failed"
    return "proven" if outcomes and all(outcome == "passed" for outcome in outcomes) else "configured"


def with_results(
    data: Mapping[str, Any], results: Results, code: str, today: date, late: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The proof's data (`generated/policy/proof.json`) with states, outcomes and the code's digest.

    `late` names the retention rules whose job has not run in time: what it should keep is not proven by any test.
    """
    tests = [
        {**test, "outcome": results.outcomes.get(test["id"], "not run"), "ran_at": results.ran_at.get(test["id"], "")}
        for test in data["tests"]
    ]
    sections = [
        {**section, "claims": [_claim(claim, data["tests"], results, today, late) for claim in section["claims"]]}
        for section in data["sections"]
    ]
    states = [
        sentence["state"] for section in sections for claim in section["claims"] for sentence in claim["sentences"]
    ]
    counts = {state: states.count(state) for state in WORDS if state in states}
    return {
        **data,
        "code_digest": code,
        "results": results.why_none or "Test results were recorded on this policy and this code.",
        "counts": counts,
        "tests": tests,
        "sections": sections,
    }


def page_with_results(page: str, data: Mapping[str, Any]) -> str:
    """The proof page with its slots filled from `with_results`."""
    slots = {"summary": _summary(data)}
    for number, test in enumerate(data["tests"]):
        when = f" on {escape(test['ran_at'][:10])}" if test["ran_at"] else ""
        slots[f"test:{number}"] = f'<span class="outcome">{escape(test["outcome"])}{when}</span>'
    for section in data["sections"]:
        for claim in section["claims"]:
            for number, sentence in enumerate(claim["sentences"]):
                state = sentence["state"]
                slots[f"state:{claim['id']}:{number}"] = f'<span class="state {state}">{WORDS[state]}</span>'

    def filled(match: re.Match[str]) -> str:
        return slots.get(match[1], match[0])

    return _SLOT.sub(filled, page)


def _claim(
    claim: Mapping[str, Any], tests: list[dict[str, Any]], results: Results, today: date, late: frozenset[str]
) -> dict[str, Any]:
    ids = [tests[number]["id"] for number in claim["tests"]]
    sentences = []
    for sentence in claim["sentences"]:
        state = claim_state(sentence["state"], ids, results)
        if state in ("proven", "configured") and _stands_on(claim, late):
            state = "late"
        if state == "vendor" and sentence["vendor"]["relied_on_until"] < today.isoformat():
            state = "stale"
        if state == "manual" and claim["manual"]["review"] < today.isoformat():
            state = "overdue"
        sentences.append({**sentence, "state": state})
    return {**claim, "sentences": sentences}


def _stands_on(claim: Mapping[str, Any], rules: frozenset[str]) -> bool:
    """Whether the claim is about one of these retention rules or parts of the policy, or repeats what one says."""
    return any(
        path.split(".")[:2] == ["retention", rule] or path.split(".")[0] == rule
        for rule in rules
        for path in claim["policy_paths"]
    )


def _summary(data: Mapping[str, Any]) -> str:
    counts = " · ".join(f"{WORDS[state]}: {count}" for state, count in data["counts"].items())
    return (
        f"<p>{escape(data['results'])} {escape(counts)}.</p>"
        f'<p>Running code <span class="digest">{escape(data["code_digest"])}</span></p>'
    )
