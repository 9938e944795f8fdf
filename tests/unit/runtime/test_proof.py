"""Nothing is green that was not run on exactly what runs here."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crouter.runtime.code_digest import code_digest
from crouter.runtime.proof import Results, claim_state, page_with_results, read_results, with_results

TODAY = date(2026, 11, 23)
TEST = "tests/unit/test_a.py::test_a"
SENTENCES: list[dict[str, Any]] = [
    {"text": "We do.", "state": "configured"},
    {"text": "It says.", "state": "vendor", "vendor": {"relied_on_until": "2026-11-23"}},
]
DATA: dict[str, Any] = {
    "policy_digest": "p" * 64,
    "tests": [{"id": TEST, "digest": "0" * 64}],
    "sections": [
        {
            "claims": [
                {"id": "one", "tests": [0], "sentences": SENTENCES, "manual": None},
                {
                    "id": "two",
                    "tests": [],
                    "sentences": [{"text": "A person does.", "state": "manual"}],
                    "manual": {"owner": "operator", "review": "2026-11-23"},
                },
            ]
        }
    ],
}
PAGE = (
    "<!--proof:summary-->static<!--/proof-->|<!--proof:state:one:0-->Configured<!--/proof-->|"
    "<!--proof:test:0--><!--/proof-->|<!--proof:unknown-->stays<!--/proof-->"
)


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, Path]:
    """A library and generated files."""
    for name in ("library/a.py", "library/__pycache__/a.pyc", "generated/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    return tmp_path / "generated", tmp_path / "library"


def recorded(tmp_path: Path, code: str, outcome: str = "passed") -> Path:
    file = tmp_path / "proof.json"
    tests = {TEST: {"outcome": outcome, "ran_at": "2026-11-20T10:00:00"}}
    file.write_text(json.dumps({"policy_digest": "p" * 64, "code_digest": code, "tests": tests}), encoding="utf-8")
    return file


def states(results: Results, today: date = TODAY) -> list[str]:
    told = with_results(DATA, results, "c" * 64, today)
    return [s["state"] for claim in told["sections"][0]["claims"] for s in claim["sentences"]]


def test_a_sentence_is_proven_by_results_of_this_version(tmp_path: Path, tree: tuple[Path, Path]) -> None:
    code = code_digest(*tree)
    assert states(read_results(recorded(tmp_path, code), "p" * 64, code)) == ["proven", "vendor", "manual"]


@pytest.mark.parametrize("changed", ["library/a.py", "generated/b.py", "generated/new.py"])
def test_one_altered_byte_of_the_code_and_nothing_is_proven(
    tmp_path: Path, tree: tuple[Path, Path], changed: str
) -> None:
    file = recorded(tmp_path, code_digest(*tree))
    with (tmp_path / changed).open("a", encoding="utf-8") as source:
        source.write("#")
    results = read_results(file, "p" * 64, code_digest(*tree))
    assert states(results)[0] == "configured"
    assert "another version" in results.why_none


def test_what_python_compiled_is_no_other_code(tmp_path: Path, tree: tuple[Path, Path]) -> None:
    before = code_digest(*tree)
    (tmp_path / "library" / "__pycache__" / "a.pyc").write_text("y", encoding="utf-8")
    assert code_digest(*tree) == before


def test_another_policy_and_nothing_is_proven(tmp_path: Path) -> None:
    assert not read_results(recorded(tmp_path, "c" * 64), "q" * 64, "c" * 64).are_of_this_version


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"policy_digest": 1, "code_digest": 2, "tests": []}', "\0"])
def test_results_that_cannot_be_read_prove_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "proof.json"
    file.write_text(text, encoding="utf-8")
    assert read_results(file, "p" * 64, "c" * 64).outcomes == {}
    assert read_results(tmp_path / "missing", "p" * 64, "c" * 64).why_none


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ({}, "configured"),
        ({"a": "passed"}, "configured"),
        ({"a": "passed", "b": "skipped"}, "configured"),
        ({"a": "passed", "b": "failed"}, "failed"),
        ({"a": "passed", "b": "passed"}, "proven"),
    ],
)
def test_a_sentence_is_proven_by_all_of_its_tests_or_not_at_all(outcomes: dict[str, str], state: str) -> None:
    assert claim_state("configured", ["a", "b"], Results(outcomes)) == state
    assert claim_state("configured", [], Results(outcomes)) == "configured"
    for declared in ("vendor", "manual", "missing"):
        assert claim_state(declared, ["a", "b"], Results(outcomes)) == declared


def test_vendors_words_go_stale_and_reviews_are_due(tmp_path: Path) -> None:
    assert states(Results(), date(2026, 11, 24)) == ["configured", "stale", "overdue"]


def test_the_slots_of_the_page_are_filled_and_escaped() -> None:
    results = Results({TEST: "<b>"}, {TEST: "2026-11-20T10:00:00"})
    page = page_with_results(PAGE, with_results(DATA, results, "c" * 64, TODAY))
    assert "static" not in page
    assert "Running code" in page
    assert '<span class="state configured">Configured</span>' in page
    assert '<span class="outcome">&lt;b&gt; on 2026-11-20</span>' in page
    assert "stays" in page


def test_a_claim_whose_job_is_late_is_not_green_whatever_its_tests_say() -> None:
    about = {"policy_paths": ["retention.usage.keep", "data.usage.label"]}
    sections = [{"claims": [{**claim, **about} for claim in DATA["sections"][0]["claims"]]}]
    data, results = {**DATA, "sections": sections}, Results({TEST: "passed"})
    for late, state in ((frozenset({"usage"}), "late"), (frozenset({"deletion", "usages"}), "proven")):
        told = with_results(data, results, "c" * 64, TODAY, late)
        assert [s["state"] for claim in told["sections"][0]["claims"] for s in claim["sentences"]] == [
            state,
            "vendor",
            "manual",
        ]
        assert f'<span class="state {state}">' in page_with_results(PAGE, told)
