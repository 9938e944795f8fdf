"""Versions of the policy: a draft is rendered anew, a frozen one is kept to the byte, and nothing goes on unsaid."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crouter.generate.drift import find_drift
from crouter.generate.emit import emit
from crouter.generate.history import History, HistoryDamagedError
from crouter.generate.render import render_all
from crouter.generate.templates import Templates
from crouter.generate.versioning import VersionRefusedError, extend_versions, version_problems
from crouter.generate.versions import FOLDER, INDEX, Versions, folder_name, read_versions
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy
from tests.cases.generate.cases import whole_policy

SECOND = {"policy.version": "1.1", "policy.effective": date(2026, 12, 1)}
LONGER = {"retention.usage.keep": "P18M"}


def extended(versions: Versions, policy: Policy) -> Versions:
    return extend_versions(make_plan(policy), Templates(), versions)


def first() -> Versions:
    return extended(Versions.empty(), whole_policy())


def second(edits: dict[str, Any] | None = None) -> Versions:
    return extended(first(), whole_policy({**SECOND, **LONGER, **(edits or {})}))


def codes(edits: dict[str, Any], versions: Versions) -> list[str]:
    return [problem.code for problem in version_problems(whole_policy(edits), versions)]


# What becomes a version


def test_the_first_version_is_one_entry_that_changes_nothing() -> None:
    (entry,) = first().entries
    assert (entry.version, entry.frozen, entry.significant, entry.changed) == ("1.0", False, False, "")
    assert sorted(first().files()) == [f"{FOLDER}/1.0/policy.json", f"{FOLDER}/1.0/sentences.json", INDEX]


def test_a_draft_is_rendered_anew_and_stays_one_entry() -> None:
    versions = extended(first(), whole_policy(LONGER))
    (entry,) = versions.entries
    assert not entry.frozen
    assert "18 months" in versions.texts[entry.path("sentences.json")]


def test_another_version_freezes_the_last_one_to_the_byte() -> None:
    before, after = first(), second()
    old, new = after.entries
    assert (old.frozen, new.frozen, new.significant) == (True, False, True)
    assert {path: after.texts[path] for path in before.texts} == before.texts


def test_a_draft_after_a_frozen_version_is_compared_with_that_one() -> None:
    versions = extended(second(), whole_policy({**SECOND, "retention.usage.keep": "P24M"}))
    assert [entry.version for entry in versions.entries] == ["1.0", "1.1"]
    assert "24 months instead of for 12 months" in versions.entries[-1].changed


def test_what_changed_is_told_in_plain_words() -> None:
    assert second().entries[-1].changed == (
        "Significant changes since version 1.0: “usage data” is kept for 18 months instead of for 12 months."
    )
    assert extended(first(), whole_policy(SECOND)).entries[-1].changed == "Nothing changed for you since version 1.0."


def test_a_published_version_stays_although_the_code_goes_on() -> None:
    published = first().published()
    edits = {"proxy.limits.requests_per_minute": 40}
    assert codes(edits, published) == []
    assert extended(published, whole_policy(edits)).texts == published.texts


@pytest.mark.parametrize("version", ["1.0", "2025-01", "v2", "1/2", "../x", "index.json", "a" * 400, "é", "1..2"])
def test_every_version_has_a_folder_of_its_own(version: str) -> None:
    name = folder_name(version)
    assert "/" not in name
    assert ".." not in name
    assert name != "index.json"
    assert len(name) <= 40


def test_rendering_is_the_same_every_time() -> None:
    policy = whole_policy({**SECOND, **LONGER})
    files = [render_all(policy, History.empty(), first()) for _ in range(2)]
    assert files[0] == files[1]


# What may not become one


def test_a_frozen_version_cannot_come_back() -> None:
    assert codes({}, second()) == ["PV-01", "PV-02"]


def test_a_published_version_cannot_say_something_else() -> None:
    (problem,) = version_problems(whole_policy(LONGER), first().published())
    assert (problem.code, problem.path) == ("PV-01", ("policy", "version"))
    assert problem.hint == "raise policy.version and policy.effective"


def test_a_version_takes_effect_after_the_one_before() -> None:
    (problem,) = version_problems(whole_policy({"policy.version": "1.1"}), first())
    assert (problem.code, problem.path) == ("PV-02", ("policy", "effective"))


@pytest.mark.parametrize(
    ("edits", "path"),
    [
        # The field becomes a column that no sentence tells of.
        (
            {
                "data.usage.fields.model": None,
                "data.usage.technical.model": {"type": "text", "why": "prices the request"},
            },
            ("data", "usage", "technical", "model"),
        ),
        # The recipient is not named any more, and its host belongs to another one.
        (
            {"processors.cloudflare.hosts": ["crouter.dev", "api.stripe.com"], "processors.stripe": None},
            ("processors", "cloudflare", "hosts", 1),
        ),
    ],
)
def test_what_would_go_on_without_a_sentence_is_refused(edits: dict[str, Any], path: tuple[str | int, ...]) -> None:
    sections = whole_policy().model_dump(mode="json", by_alias=True)["sections"]
    for section in sections:
        section["claims"] = {
            name: claim
            for name, claim in section["claims"].items()
            if claim["about"] != "processors.stripe" or "processors.stripe" not in edits
        }
    edits = {**edits, "sections": [section for section in sections if section["claims"]]}
    problems = version_problems(whole_policy({**SECOND, **edits}), first())
    assert ("PV-03", path) in {(problem.code, problem.path) for problem in problems}


def test_a_claim_that_goes_while_its_table_stays_is_refused() -> None:
    """Balance entries need no sentence of their own, so the policy alone is no mistake."""
    sections = whole_policy().model_dump(mode="json", by_alias=True)["sections"]
    with_claim = [dict(section) for section in sections]
    told = {"says": "collects", "about": "data.ledger", "enforced_by": ["declared_columns"]}
    with_claim[0] = {**sections[0], "claims": {**sections[0]["claims"], "collect-ledger": told}}
    before = extended(Versions.empty(), whole_policy({"sections": with_claim}))
    problems = version_problems(whole_policy({**SECOND, "sections": sections}), before)
    # That its amount exists is still said where the processor of payments is told to receive it.
    assert [problem.path for problem in problems] == [("data", "ledger", "fields", "occurred_at")]


def test_a_column_that_goes_with_its_sentence_is_no_problem() -> None:
    edits = {"data.usage.fields.cache_read_tokens": None, "data.usage.fields.web_search_requests": None}
    assert codes({**SECOND, **edits}, first()) == []


# On disk


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    folder = tmp_path / "generated"
    emit(whole_policy(), folder)
    emit(whole_policy({**SECOND, **LONGER}), folder)
    return folder


def test_what_was_written_is_read_again(generated: Path) -> None:
    versions = read_versions(generated, "1.1")
    assert (
        versions.files().items()
        <= {
            path.relative_to(generated).as_posix(): path.read_text(encoding="utf-8")
            for path in (generated / FOLDER).rglob("*")
            if path.is_file()
        }.items()
    )
    assert find_drift(whole_policy({**SECOND, **LONGER}), generated) == ()


@pytest.mark.parametrize("file", [f"{FOLDER}/1.0/policy.json", f"{FOLDER}/1.0/sentences.json", INDEX])
def test_a_changed_byte_of_a_frozen_version_is_restored_from_version_control(generated: Path, file: str) -> None:
    path = generated / file
    path.write_bytes(path.read_bytes().replace(b"2025", b"2024", 1) + b" ")
    policy = whole_policy({**SECOND, **LONGER})
    found = [(item.path, item.mend) for item in find_drift(policy, generated) if item.path == file]
    assert found == [(file, f"git checkout -- {path}")]
    before = path.read_bytes()
    with pytest.raises(HistoryDamagedError, match="restore it from version control"):
        emit(policy, generated)
    assert path.read_bytes() == before


@pytest.mark.parametrize("file", [f"{FOLDER}/1.0/policy.json", INDEX])
def test_a_missing_file_of_the_history_is_damage(generated: Path, file: str) -> None:
    (generated / file).unlink()
    with pytest.raises(HistoryDamagedError, match="is missing"):
        read_versions(generated, "1.1")


def test_a_changed_draft_is_generated_anew(generated: Path) -> None:
    path = generated / FOLDER / "1.1" / "sentences.json"
    good = path.read_bytes()
    path.write_bytes(b"{}")
    emit(whole_policy({**SECOND, **LONGER}), generated)
    assert path.read_bytes() == good


def test_a_changed_draft_cannot_become_frozen(generated: Path) -> None:
    (generated / FOLDER / "1.1" / "sentences.json").write_bytes(b"{}")
    third = whole_policy({**LONGER, "policy.version": "1.2", "policy.effective": date(2027, 1, 1)})
    with pytest.raises(HistoryDamagedError):
        emit(third, generated)


def test_an_index_that_names_other_folders_is_damage(generated: Path) -> None:
    index = json.loads((generated / INDEX).read_bytes())
    index["versions"][0]["name"] = "../.."
    (generated / INDEX).write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(HistoryDamagedError):
        read_versions(generated, "1.1")


def test_a_refused_version_writes_nothing(generated: Path) -> None:
    before = {path: path.read_bytes() for path in generated.rglob("*") if path.is_file()}
    with pytest.raises(VersionRefusedError, match="PV-01"):
        emit(whole_policy(), generated)
    assert {path: path.read_bytes() for path in generated.rglob("*") if path.is_file()} == before
    assert any("raise policy.version" in item.mend for item in find_drift(whole_policy(), generated))
