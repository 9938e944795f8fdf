"""Bad policies get every problem at once, at its place; good ones get none."""

import json
import os
from pathlib import Path

import pytest

from crouter.policy.codes import CODES
from crouter.policy.document import read
from crouter.policy.load import load, load_file
from crouter.policy.model import Policy
from crouter.policy.problems import as_text
from crouter.policy.rules import ALL_RULES
from crouter.policy.rules.frame import Rule, apply
from crouter.policy.validate import validate
from tests.unit.policy import cases

ROOT = Path(__file__).resolve().parents[3]
POLICY = ROOT / "policy.yaml"

# What no text in UTF-8 can show, or only an unreadably large one; see test_document.py and the tests below.
CODES_WITHOUT_CASE = {"PY-01", "PY-02", "PY-03", "PY-04", "PY-22"}
# What only two versions of a policy can show; see tests/unit/generate/test_versioning.py.
CODES_WITHOUT_CASE |= {"PV-01", "PV-02", "PV-03"}
# What stands behind sentences is no property of the file alone; its cases are in tests/unit/proof.
CODES_WITHOUT_CASE |= {code for code in CODES if code.startswith("PK-")}


@pytest.mark.parametrize("path", [POLICY, cases.MINIMAL], ids=["the first policy", "the minimal policy"])
def test_a_good_policy_has_no_problems(path: Path) -> None:
    loaded = load_file(path)
    assert as_text(loaded.problems) == ""
    assert isinstance(loaded.policy, Policy)


@pytest.mark.parametrize("name", cases.NAMES)
def test_a_bad_policy_gets_exactly_these_problems(name: str) -> None:
    loaded = cases.loaded(name)
    expected = (cases.CASES / "problems" / name / "problems.txt").read_text(encoding="utf-8")
    assert as_text(loaded.problems) == expected
    assert expected
    assert loaded.policy is None


def test_every_code_has_a_case() -> None:
    seen = {problem.code for name in cases.NAMES for problem in cases.loaded(name).problems}
    linted = {problem.code for name in cases.FINDINGS for problem in cases.linted(name).problems}
    assert seen | linted | CODES_WITHOUT_CASE == CODES.keys()
    assert not (seen | linted) & CODES_WITHOUT_CASE


def _broken_rules(name: str) -> set[Rule]:
    document = read(cases.text_of(name), name)
    parts = validate(document).parts
    return {rule for rule in ALL_RULES if list(apply([rule], parts, document))}


def test_every_rule_has_a_case_that_breaks_it() -> None:
    broken = set().union(*map(_broken_rules, cases.NAMES))
    assert [f"{rule.code} {rule.check.__name__}" for rule in ALL_RULES if rule not in broken] == []


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: f"{rule.code} {rule.check.__name__}")
def test_a_rule_looks_at_the_parts_that_it_names_only(rule: Rule) -> None:
    policy = load(POLICY.read_text(encoding="utf-8")).policy
    assert policy is not None
    partial = Policy.model_construct(**{name: getattr(policy, name) for name in rule.needs})
    for name in Policy.model_fields.keys() - set(rule.needs):
        partial.__dict__.pop(name, None)
    assert list(rule.check(partial)) == []


def test_a_mistake_in_one_part_does_not_hide_those_in_others() -> None:
    text = cases.MINIMAL.read_text(encoding="utf-8")
    text = text.replace("minimum_tls: ", "minimum: ").replace("by: deletion", "by: delete").replace("language: 1", "")
    codes = {(problem.code, problem.place.policy_path) for problem in load(text).problems}
    assert codes == {
        ("PM-02", "language"),
        ("PM-01", "security.https.minimum"),
        ("PM-02", "security.https.minimum_tls"),
        ("PR-05", "rights.erasure.by"),
    }


def test_a_union_gets_one_sentence() -> None:
    loaded = cases.loaded("model-unknown-choice")
    assert [p.place.policy_path for p in loaded.problems].count("cookies.__Host-session.lifetime") == 1


def test_no_sentence_is_pydantics_or_pyyamls() -> None:
    text = "".join(as_text(cases.loaded(name).problems) for name in cases.NAMES)
    for words in (
        "Input should",
        "Field required",
        "Extra inputs",
        "valid string",
        "while parsing",
        "expected <",
        "None",
    ):
        assert words not in text


def test_hostile_values_are_not_repeated() -> None:
    text = as_text(cases.loaded("model-hostile-values").problems)
    assert "xxx" not in text
    assert "yyy" not in text
    assert "\x1b" not in text


def test_problems_name_the_file_they_are_in() -> None:
    (problem,) = load("# nothing", "some/policy.yaml").problems
    assert str(problem).startswith("some/policy.yaml:1:1: PY-08 ")


def test_a_problem_as_json_has_everything() -> None:
    problem = cases.loaded("limits-upside-down").problems[0]
    assert json.loads(json.dumps(problem.as_json())) == {
        "code": "PR-36",
        "severity": "error",
        "file": "policy.yaml",
        "line": 115,
        "column": 94,
        "policy_path": "proxy.limits.requests_per_day",
        "sentence": problem.sentence,
        "hint": problem.hint,
    }


@pytest.mark.parametrize("name", ["missing.yaml", "", "\0", "x" * 300])
def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path, name: str) -> None:
    loaded = load_file(tmp_path / name)
    assert [problem.code for problem in loaded.problems] == ["PY-01"]
    assert "Error" not in as_text(loaded.problems)


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    assert [problem.code for problem in load_file(tmp_path).problems] == ["PY-01"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.touch(mode=0)
    assert [problem.code for problem in load_file(path).problems] == ["PY-01"]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xff\xfea\x00", "1:1"),
        (b"language: 1\r\nservice: \xe9\n", "2:10"),
        (b"a: 1\rb: \xc3", "2:4"),
        (b"a: \xed\xa0\x80", "1:4"),
    ],
    ids=["UTF-16", "Latin-1", "cut off", "a surrogate"],
)
def test_bytes_that_are_not_utf8_are_a_problem_at_their_place(tmp_path: Path, data: bytes, place: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(data)
    (problem,) = load_file(path).problems
    assert str(problem).startswith(f"{path}:{place}: PY-03 ")


def test_a_byte_order_mark_is_the_only_problem_of_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + cases.MINIMAL.read_bytes())
    assert [problem.code for problem in load_file(path).problems] == ["PY-04"]


@pytest.mark.parametrize("size", [256 * 1024 + 1, 10 * 1024 * 1024])
def test_a_file_over_256_kib_is_refused_unread(tmp_path: Path, size: int) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"#" * size)
    assert [problem.code for problem in load_file(path).problems] == ["PY-02"]
    assert [problem.code for problem in load("é" * (size // 2 + 1)).problems] == ["PY-02"]


def test_windows_line_ends_change_nothing() -> None:
    text = cases.MINIMAL.read_text(encoding="utf-8")
    assert load(text.replace("\n", "\r\n")).policy == load(text).policy


def test_comments_and_layout_change_nothing() -> None:
    text = cases.MINIMAL.read_text(encoding="utf-8")
    assert load("# more\n\n" + text.replace("\n", "\n\n")).policy == load(text).policy
