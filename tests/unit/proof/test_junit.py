"""A report counts if it says on what it ran, and a test's worst run is its outcome."""

import pytest

from crouter.proof.junit import DIGESTS, UnusableReportError, read_report, report_key

SAID = {"policy_digest": "p", "code_digest": "c", "policy_digest_after": "p", "code_digest_after": "c"}


def report(said: dict[str, str], cases: str = "") -> str:
    properties = "".join(f'<property name="{name}" value="{value}"/>' for name, value in said.items())
    return (
        f'<?xml version="1.0"?><testsuites><testsuite name="pytest" timestamp="2026-11-23T10:00:00">'
        f"<properties>{properties}</properties>{cases}</testsuite></testsuites>"
    )


def test_outcomes_are_found_by_file_and_name() -> None:
    cases = (
        '<testcase classname="tests.unit.test_a" name="test_x[1]"/>'
        '<testcase classname="tests.unit.test_a" name="test_x[2]"><failure message="no"/></testcase>'
        '<testcase classname="tests.unit.test_a.TestGroup" name="test_y"><skipped/></testcase>'
        '<testcase classname="tests.unit.test_a" name="test_z"><error/></testcase>'
        '<testcase classname="tests.unit.test_a" name="test_ok"/>'
    )
    found = read_report(report(SAID, cases))
    assert (found.policy_digest, found.code_digest, found.ran_at) == ("p", "c", "2026-11-23T10:00:00")
    file = "tests/unit/test_a.py"
    outcomes = [found.outcomes[report_key(file, name)] for name in ("test_x", "test_y", "test_z", "test_ok")]
    assert outcomes == ["failed", "skipped", "failed", "passed"]


@pytest.mark.parametrize("missing", DIGESTS)
def test_a_report_that_does_not_say_what_it_ran_on_is_refused(missing: str) -> None:
    with pytest.raises(UnusableReportError, match="does not say"):
        read_report(report({name: value for name, value in SAID.items() if name != missing}))


def test_code_that_changed_while_the_tests_ran_was_tested_by_none() -> None:
    with pytest.raises(UnusableReportError, match="changed while"):
        read_report(report({**SAID, "code_digest_after": "d"}))


@pytest.mark.parametrize("text", ["", "<", "<other/>"])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(UnusableReportError):
        read_report(text)
