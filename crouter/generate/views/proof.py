"""The proof page: each sentence with its thread, as a page and as data. Results are not in it.

A generated file cannot know what a later test run finds. The running service fills the slots of the page
(`<!--proof:…-->`) with what was recorded for exactly its version; the file itself says where results are.
"""

from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from crouter.generate.templates import Templates
from crouter.generate.views.json_file import json_file
from crouter.plan.document_style import document_style
from crouter.plan.plan import Plan
from crouter.plan.words import date_words
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.parts.parties import Keeps
from crouter.policy.problems import dotted
from crouter.proof.check import relied_on_until
from crouter.proof.registry import ProvingTest, shipped
from crouter.proof.threads import Thread, paths_of, threads

DeclaredState = Literal["configured", "vendor", "manual", "missing"]
_WORDS = {
    "configured": "Configured",
    "vendor": "Declared by a vendor",
    "manual": "Kept by a person",
    "missing": "Missing",
}
# What a processor says of itself; everything else about it is what we do.
_VENDORS_OWN = ("keeps", "policy_url", "policy_covers")


@dataclass(frozen=True, slots=True)
class TestView:
    """A test for the template; `slot` is where its result goes."""

    slot: str
    name: str
    file: str


@dataclass(frozen=True, slots=True)
class MechanismView:
    """A mechanism for the template."""

    name: str
    does: str
    module: str
    probe: str
    tests: tuple[TestView, ...]


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence for the template; `slot` is where its state goes, `note` whose word it is if not ours."""

    slot: str
    text: str
    state: str
    words: str
    note: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim for the template."""

    id: str
    statement: str
    sentences: tuple[SentenceView, ...]
    paths: tuple[str, ...]
    declared: tuple[str, ...]
    mechanisms: tuple[MechanismView, ...]
    tests: tuple[TestView, ...]
    """Tests of a claim that no mechanism has: those of a fact."""
    manual: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section for the template."""

    number: int
    title: str
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, slots=True)
class ProofView:
    """Everything that the page draws."""

    header: str
    title: str
    service: str
    locale: str
    digest: str
    policy_href: str
    data_href: str
    sections: tuple[SectionView, ...]
    style: Markup


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """The page and its data: path under generated/ to text."""
    told = {thread.claim.id: thread for thread in threads(plan, shipped())}
    tests = tuple(dict.fromkeys(test for thread in told.values() for test in thread.tests))
    numbers = {test: number for number, test in enumerate(tests)}
    view = ProofView(
        header=plan.header,
        title=plan.document.title,
        service=plan.document.service,
        locale=plan.document.locale,
        digest=plan.digest,
        policy_href=_served(plan, "policy/privacy-policy.html", "privacy-policy.html"),
        data_href=_served(plan, "policy/proof.json", "proof.json"),
        sections=tuple(
            SectionView(section.number, section.title, tuple(_claim(plan, told[c.id], numbers) for c in section.claims))
            for section in plan.document.sections
        ),
        # Our own file, not text of the policy.
        style=Markup(document_style()),  # noqa: S704
    )
    return {
        "policy/proof.html": templates.render("policy/proof.html.jinja", view),
        "policy/proof.json": json_file(_data(plan, told, numbers)),
    }


def _data(plan: Plan, told: dict[str, Thread], numbers: dict[ProvingTest, int]) -> dict[str, Any]:
    return {
        "generated": plan.header,
        "policy_digest": plan.digest,
        "results": "not in this file: /privacy/proof of the running service shows those of its own version",
        "tests": [{"id": test.id, "digest": test.digest} for test in numbers],
        "sections": [
            {
                "number": section.number,
                "title": section.title,
                "claims": [_claim_data(plan, told[claim.id], numbers) for claim in section.claims],
            }
            for section in plan.document.sections
        ],
    }


def _claim_data(plan: Plan, thread: Thread, numbers: dict[ProvingTest, int]) -> dict[str, Any]:
    manual = thread.declaration.manual
    return {
        "id": thread.claim.id,
        "statement": thread.statement,
        "about": thread.claim.about,
        "sentences": [_sentence_data(plan, thread, number) for number in range(len(thread.claim.sentences))],
        "policy_paths": list(thread.paths),
        "declared": [
            {"kind": thing.kind, "name": thing.name, "policy_path": dotted(thing.path), "file": thing.file}
            for thing in thread.declared
        ],
        "mechanisms": [
            {
                "name": step.mechanism,
                "does": MECHANISMS[step.mechanism].does,
                "module": MECHANISMS[step.mechanism].module,
                "probe": MECHANISMS[step.mechanism].probe,
                "tests": [numbers[test] for test in step.tests],
            }
            for step in thread.enforced
        ],
        "tests": [numbers[test] for test in thread.tests],
        "manual": {"owner": manual.owner, "review": manual.review.isoformat()} if manual else None,
    }


def _sentence_data(plan: Plan, thread: Thread, number: int) -> dict[str, Any]:
    sentence = thread.claim.sentences[number]
    said: dict[str, Any] = {"text": sentence.text, "state": _state(plan, thread, number)}
    keeps = _vendor(plan, thread, number)
    if keeps is not None:
        until = relied_on_until(keeps.as_of, keeps.stale_after)
        as_of, source = keeps.as_of.isoformat(), keeps.source
        said["vendor"] = {"source": source, "as_of": as_of, "relied_on_until": until.isoformat()}
    return said


def _state(plan: Plan, thread: Thread, number: int) -> DeclaredState:
    if _vendor(plan, thread, number) is not None:
        return "vendor"
    if thread.enforced and all(step.tests for step in thread.enforced):
        return "configured"
    if thread.declaration.manual is not None:
        return "manual"
    return "configured" if thread.statement == "fact" else "missing"


def _vendor(plan: Plan, thread: Thread, number: int) -> Keeps | None:
    """The statement of a processor that a sentence repeats, None if it repeats none."""
    for path in paths_of(thread.claim.sentences[number]):
        head, *rest = path.split(".")
        if head == "processors" and len(rest) > 1 and rest[1] in _VENDORS_OWN:
            return plan.policy.processors[rest[0]].keeps
    return None


def _claim(plan: Plan, thread: Thread, numbers: dict[ProvingTest, int]) -> ClaimView:
    manual = thread.declaration.manual
    kinds = dict.fromkeys(thing.kind for thing in thread.declared)
    return ClaimView(
        id=thread.claim.id,
        statement=thread.statement,
        sentences=tuple(_sentence(plan, thread, number) for number in range(len(thread.claim.sentences))),
        paths=thread.paths,
        declared=tuple(
            f"{kind}: {', '.join(thing.name for thing in thread.declared if thing.kind == kind)}" for kind in kinds
        ),
        mechanisms=tuple(
            MechanismView(
                name=step.mechanism,
                does=MECHANISMS[step.mechanism].does,
                module=MECHANISMS[step.mechanism].module,
                probe=MECHANISMS[step.mechanism].probe,
                tests=tuple(_test(test, numbers) for test in step.tests),
            )
            for step in thread.enforced
        ),
        tests=() if thread.enforced else tuple(_test(test, numbers) for test in thread.tests),
        manual=f"{manual.owner}; next review on {date_words(manual.review)}" if manual else "",
    )


def _sentence(plan: Plan, thread: Thread, number: int) -> SentenceView:
    state = _state(plan, thread, number)
    keeps = _vendor(plan, thread, number)
    note = ""
    if keeps is not None:
        until = relied_on_until(keeps.as_of, keeps.stale_after)
        note = f"{keeps.source}, as of {date_words(keeps.as_of)}; relied on until {date_words(until)}"
    text = thread.claim.sentences[number].text
    return SentenceView(f"state:{thread.claim.id}:{number}", text, state, _WORDS[state], note)


def _test(test: ProvingTest, numbers: dict[ProvingTest, int]) -> TestView:
    return TestView(f"test:{numbers[test]}", test.name, test.file)


def _served(plan: Plan, file: str, beside: str) -> str:
    return next((document.path for document in plan.web.documents if document.file == file), beside)
