"""Reads what a test run found out, and on which version: JUnit's XML as pytest writes it.

The report has to say on which policy and code it ran, before and after: `tests/conftest.py` writes that into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

DIGESTS: Final = ("policy_digest", "code_digest", "policy_digest_after", "code_digest_after")
# The worst outcome of a test's runs (one for each parameter) is the test's outcome.
_WORST_FIRST: Final = ("failed", "skipped", "passed")


class UnusableReportError(Exception):
    """A report is none, or does not say what it ran on; the message says which."""


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes by classname and name of the test, without parameters; the moment is ISO 8601."""

    policy_digest: str
    code_digest: str
    ran_at: str
    outcomes: dict[tuple[str, str], str]


def read_report(text: str) -> Report:
    """One report. Raises UnusableReportError."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  our own report; expat bounds what entities can grow to
    except ElementTree.ParseError:
        raise UnusableReportError("it is no XML") from None
    suite = root if root.tag == "testsuite" else root.find("testsuite")
    if suite is None:
        raise UnusableReportError("it holds no test suite")
    said = {item.get("name", ""): item.get("value", "") for item in suite.iter("property")}
    if not all(said.get(name) for name in DIGESTS):
        raise UnusableReportError("it does not say on which policy and code it ran")
    if [said[name] for name in DIGESTS[:2]] != [said[name] for name in DIGESTS[2:]]:
        raise UnusableReportError("the policy or the code changed while the tests ran")
    return Report(said["policy_digest"], said["code_digest"], suite.get("timestamp", ""), _outcomes(suite))


def report_key(file: str, name: str) -> tuple[str, str]:
    """How a report names a test of a file."""
    return file.removesuffix(".py").replace("/", "."), name


def _outcomes(suite: ElementTree.Element) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], list[str]] = {}
    for case in suite.iter("testcase"):
        module = _module(case.get("classname", ""))
        found.setdefault((module, case.get("name", "").partition("[")[0]), []).append(_outcome(case))
    return {key: worst(outcomes) for key, outcomes in found.items()}


def worst(outcomes: Iterable[str]) -> str:
    """The outcome of several runs of one test."""
    return min(outcomes, key=_WORST_FIRST.index)


def _module(classname: str) -> str:
    """The module of a class name: the names up to the file's, which begins with `test_`."""
    names = classname.split(".")
    at = next((number for number, name in enumerate(names) if name.startswith("test_")), len(names) - 1)
    return ".".join(names[: at + 1])


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"
