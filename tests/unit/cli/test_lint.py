"""`crouter lint` tells the same findings in every format, and fails on errors only."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, edit

FORMATS = ("text", "json", "junit", "sarif", "github")


@pytest.fixture
def contradictory(project: Path) -> Path:
    edit(project, "removed: number", "removed: number, city: word")
    return project


def test_warnings_are_0_and_errors_are_1(project: Path, command: Command) -> None:
    assert command("lint").status == 0
    edit(project, "removed: number", "removed: number, city: word")
    outcome = command("lint")
    assert outcome.status == 1
    assert "error PX-04 the log field retention.city is about what never.location forbids to track" in outcome.out


def test_the_tally_and_the_profiles_are_told(command: Command) -> None:
    out = command("lint", "--profile", "gdpr", "--profile", "ccpa").out
    assert re.search(r"^0 errors, \d+ warnings, 0 waived \(profiles: gdpr, ccpa\)$", out, re.MULTILINE)
    assert " PC-20 " in out
    assert " PC-20 " not in command("lint", "--profile", "uk").out


def test_an_unknown_profile_or_format_is_a_usage_error(command: Command) -> None:
    assert command("lint", "--profile", "lgpd").status == 64
    assert command("lint", "--format", "pdf").status == 64


def test_a_file_that_cannot_be_read_is_told(command: Command) -> None:
    outcome = command("lint", "--policy", "nothing.yaml")
    assert outcome.status == 1
    assert "PY-01" in outcome.err


def test_every_format_tells_as_many_findings(contradictory: Path, command: Command) -> None:
    told = {name: command("lint", "--format", name) for name in FORMATS}
    assert {outcome.status for outcome in told.values()} == {1}
    count = len(json.loads(told["json"].out)["findings"])
    assert told["text"].out.count("\n  hint: ") == count
    assert told["junit"].out.count("<testcase ") == count
    assert len(json.loads(told["sarif"].out)["runs"][0]["results"]) == count
    assert len(re.findall(r"^::(?:error|warning) ", told["github"].out, re.MULTILINE)) == count


def test_sarif_has_the_shape_that_2_1_0_requires(contradictory: Path, command: Command) -> None:
    log = json.loads(command("lint", "--format", "sarif").out)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "crouter"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"id", "name", "shortDescription", "fullDescription", "defaultConfiguration", "helpUri"}
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")
        assert re.fullmatch(r"[A-Z][\w,]*", rule["name"]), rule["name"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "policy.yaml"}
        assert physical["region"]["startLine"] >= 1
        assert physical["region"]["startColumn"] >= 1
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())


def test_junit_is_xml_with_its_numbers(contradictory: Path, command: Command) -> None:
    out = command("lint", "--format", "junit").out
    (suite,) = ElementTree.fromstring(out)  # noqa: S314  our own output
    found = list(suite)
    assert int(suite.attrib["tests"]) == len(found)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == 1
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert all(case.attrib["classname"] and int(case.attrib["line"]) for case in found)


def test_github_commands_cannot_be_broken_by_a_file_name(project: Path, command: Command) -> None:
    name = "a,b:c%0A::d.yaml"
    (project / "policy.yaml").rename(project / name)
    out = command("lint", "--format", "github", "--policy", name).out
    lines = out.splitlines()
    assert all(
        re.fullmatch(r"::(error|warning|notice) file=[^,:]+,line=\d+,col=\d+,title=[^,:]+::.+", line)
        for line in lines[:-1]
    )
    assert "file=a%2Cb%3Ac%250A%3A%3Ad.yaml," in lines[0]


def test_a_hostile_file_name_steers_no_terminal(project: Path, command: Command) -> None:
    name = "\x1b[2J<x>&.yaml"
    (project / "policy.yaml").rename(project / name)
    for output in FORMATS[:3]:
        assert "\x1b" not in command("lint", "--format", output, "--policy", name).out
    ElementTree.fromstring(command("lint", "--format", "junit", "--policy", name).out)  # noqa: S314


def test_waived_findings_are_told_apart(project: Path, command: Command) -> None:
    with (project / "policy.yaml").open("a", encoding="utf-8") as policy:
        policy.write("waivers: [{rule: PX-21, place: sources, reason: it is known, owner: Ada, expires: 2999-12-31}]\n")
    out = command("lint").out
    assert "waived PX-21" in out
    assert "until 2999-12-31, Ada: it is known" in out
    assert ", 1 waived (" in out
    results = json.loads(command("lint", "--format", "sarif").out)["runs"][0]["results"]
    assert [r["ruleId"] for r in results if r.get("suppressions")] == ["PX-21"]
    assert "::notice file=policy.yaml" in command("lint", "--format", "github").out


def test_check_counts_the_findings_and_does_not_fail_for_them(project: Path, command: Command) -> None:
    assert command("generate").status == 0
    outcome = command("check")
    assert outcome.status == 0
    assert "`crouter lint` lists them" in outcome.err
