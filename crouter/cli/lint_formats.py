"""What `crouter lint` found, in the formats that people and programs read: text, JSON, JUnit, SARIF, GitHub.

Every format tells the same findings. Nothing here decides what is one.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from crouter.cli.terminal import counted, visible
from crouter.policy.codes import CODES
from crouter.policy.lint import Report
from crouter.policy.problems import Problem

FormatName = Literal["text", "json", "junit", "sarif", "github"]

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_URL = "https://crouter.dev"


def as_text(report: Report) -> str:
    """Two lines for each finding, then the waived ones, then the tally."""
    lines = []
    for problem in report.problems:
        lines += [f"{problem.place}: {problem.severity} {problem.code} {problem.sentence}", f"  hint: {problem.hint}"]
    for waived in report.waived:
        problem, waiver = waived.problem, waived.waiver
        lines.append(f"{problem.place}: waived {problem.code} {problem.sentence}")
        lines.append(f"  until {waiver.expires.isoformat()}, {waiver.owner}: {waiver.reason}")
    return visible("\n".join([*lines, tally(report)])) + "\n"


def tally(report: Report) -> str:
    """The numbers in one line."""
    warnings = len(report.problems) - report.errors
    names = ", ".join(report.profiles) or "none"
    numbers = f"{counted(report.errors, 'error')}, {counted(warnings, 'warning')}, {len(report.waived)} waived"
    return f"{numbers} (profiles: {names})"


def as_json(report: Report) -> str:
    """One object, for scripts."""
    value = {
        "file": report.file,
        "profiles": list(report.profiles),
        "errors": report.errors,
        "warnings": len(report.problems) - report.errors,
        "findings": [{**problem.as_json(), "source": CODES[problem.code].source} for problem in report.problems],
        "waived": [
            {**waived.problem.as_json(), "waiver": waived.waiver.model_dump(mode="json")} for waived in report.waived
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def as_junit(report: Report) -> str:
    """One test case for each finding: errors fail, warnings and waived findings are skipped with their sentence."""
    warnings = len(report.problems) - report.errors
    total, skipped = len(report.problems) + len(report.waived), warnings + len(report.waived)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="crouter lint" tests="{total}" failures="{report.errors}" skipped="{skipped}">',
        f'<testsuite name={quoteattr(visible(report.file))} tests="{total}" failures="{report.errors}" '
        f'errors="0" skipped="{skipped}">',
    ]
    for problem in report.problems:
        message = quoteattr(visible(f"{problem.place}: {problem.sentence}"))
        inner = f'<failure type="{problem.code}" message={message}>{escape(visible(problem.hint))}</failure>'
        lines += _case(problem, inner if problem.severity == "error" else f"<skipped message={message}/>")
    for waived in report.waived:
        reason = f"waived until {waived.waiver.expires.isoformat()}: {waived.waiver.reason}"
        lines += _case(waived.problem, f"<skipped message={quoteattr(visible(reason))}/>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"


def _case(problem: Problem, inner: str) -> list[str]:
    name = quoteattr(visible(f"{problem.code} {problem.place.policy_path}".strip()))
    head = f'<testcase classname="{problem.code}" name={name} file={quoteattr(visible(problem.place.file))}'
    return [f'{head} line="{problem.place.line}">{inner}</testcase>']


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, as code scanning takes it."""
    found = [*report.problems, *(waived.problem for waived in report.waived)]
    codes = sorted({problem.code for problem in found})
    results = [_result(problem, codes) for problem in report.problems]
    for waived in report.waived:
        suppression = {"kind": "external", "status": "accepted", "justification": waived.waiver.reason}
        results.append({**_result(waived.problem, codes), "suppressions": [suppression]})
    driver = {"name": "crouter", "informationUri": _URL, "rules": [_rule(code) for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    said = CODES[code]
    source = f" ({said.source})" if said.source else ""
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in said.title.replace("'", "").replace("-", " ").split()),
        "shortDescription": {"text": said.title},
        "fullDescription": {"text": f"{said.explanation}{source}"},
        "defaultConfiguration": {"level": said.severity},
        "helpUri": f"{_URL}/docs/rules#{code.lower()}",
    }


def _result(problem: Problem, codes: list[str]) -> dict[str, Any]:
    region = {"startLine": max(problem.place.line, 1), "startColumn": max(problem.place.column, 1)}
    artifact = {"uri": problem.place.file.replace("\\", "/").replace(" ", "%20")}
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": problem.severity,
        "message": {"text": f"{problem.sentence}. {problem.hint}"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        # Stays the same while lines move, so that a finding is known again.
        "partialFingerprints": {"policyPath/v1": f"{problem.code}:{problem.place.policy_path}:{problem.sentence}"},
    }


def as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = [_annotation(problem.severity, problem, problem.hint) for problem in report.problems]
    lines += [_annotation("notice", waived.problem, f"waived: {waived.waiver.reason}") for waived in report.waived]
    return "".join(f"{line}\n" for line in [*lines, _data(tally(report))])


def _annotation(kind: str, problem: Problem, more: str) -> str:
    place = problem.place
    at = f"file={_property(place.file)},line={max(place.line, 1)},col={max(place.column, 1)}"
    title = _property(f"{problem.code} {CODES[problem.code].title}")
    return f"::{kind} {at},title={title}::{_data(f'{problem.sentence}. {more}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[FormatName, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
    "github": as_github,
}
"""Each format and what writes it."""
