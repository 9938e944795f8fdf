"""The text that people read, held by snapshots. Read every changed line before accepting an update."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from crouter.plan.plan import Plan


def _extension(ending: str) -> type[SingleFileSnapshotExtension]:
    class Extension(SingleFileSnapshotExtension):
        _write_mode = WriteMode.TEXT
        file_extension = ending

    return Extension


@pytest.mark.parametrize(
    "name",
    [
        "policy/privacy-policy.md",
        "policy/privacy-policy.html",
        "policy/privacy-policy.txt",
        "policy/privacy-policy.json",
        "records/claims.json",
        "records/processing-record.csv",
    ],
    ids=lambda name: name.rpartition("/")[2],
)
def test_a_document_is_what_was_read_last(
    plan: Plan, files: dict[str, str], name: str, snapshot: SnapshotAssertion
) -> None:
    # The digest changes with any value; the snapshot shows the text alone.
    text = files[name].replace(plan.digest, "DIGEST").replace(plan.short_digest, "DIGEST")
    assert text == snapshot(extension_class=_extension(name.rpartition(".")[2]))


def test_the_json_holds_the_same_words_as_the_document(plan: Plan, files: dict[str, str]) -> None:
    data: dict[str, Any] = json.loads(files["policy/privacy-policy.json"])
    claims = [claim for section in data["sections"] for claim in section["claims"]]
    assert [claim["text"] for claim in claims] == [claim.text for claim in plan.document.claims]
    for claim in claims:
        joined = " ".join("".join(part["text"] for part in line["segments"]) for line in claim["sentences"])
        assert joined == claim["text"]
    assert data["policy_digest"] == plan.digest
    assert data["effective"] == "2025-01-05"


def test_the_plain_text_is_narrow(files: dict[str, str]) -> None:
    lines = files["policy/privacy-policy.txt"].splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []
    assert [line for line in lines if line != line.rstrip()] == []


def test_every_file_ends_with_one_line_feed(files: dict[str, str]) -> None:
    assert [name for name, text in files.items() if not text.endswith("\n") or text.endswith("\n\n")] == []


def test_the_schema_for_editors_is_valid_and_takes_the_policy(files: dict[str, str], written: dict[str, Any]) -> None:
    schema = json.loads(files["policy/policy.schema.json"])
    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(written)] == []
