"""policy.yaml edited as a maintainer would: what has to change changes, all of it, or the edit is answered."""

import functools
import json
import re

import pytest
import yaml

from crouter.generate.history import History
from crouter.generate.migrations import extend_history
from crouter.generate.templates import Templates
from crouter.plan.digest import policy_digest
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from tests.unit.generate.policy_edits import (
    POLICY,
    TEXT,
    changes_of,
    edited,
    lines_out,
    policy_of,
    rendered,
    said,
)

DOCUMENTS = tuple(f"policy/privacy-policy.{ending}" for ending in ("md", "html", "txt", "json"))


@functools.cache
def before(text: str = TEXT) -> dict[str, str]:
    return rendered(text)


@functools.cache
def history(text: str = TEXT) -> History:
    return extend_history(make_plan(policy_of(text)), Templates(), History.empty())


def words(text: str) -> str:
    """The text with every run of space as one space: plain text is wrapped."""
    return " ".join(text.split())


def last_migration(files: dict[str, str]) -> str:
    """The newest migration, empty if there is only the first."""
    paths = [path for path in files if path.startswith("database/migrations/") and path.endswith(".sql")]
    return files[max(paths)] if len(paths) > 1 else ""


def drift(files: dict[str, str]) -> set[str]:
    """The files that differ by more than the digest of the policy."""

    digests = [json.loads(all_files["MANIFEST.json"])["policy"][:12] for all_files in (before(), files)]

    def masked(all_files: dict[str, str]) -> dict[str, str]:
        return {path: re.sub(f"({'|'.join(digests)})[0-9a-f]*", "", text) for path, text in all_files.items()}

    old, new = masked(before()), masked(files)
    return {path for path in {*old, *new} if old.get(path) != new.get(path)} - {"MANIFEST.json"}


# The four edits that the service is built around


def test_a_shorter_retention_changes_document_job_records_and_no_schema() -> None:
    files = rendered(edited(("keep: P12M, from", "keep: P6M, from")), history())
    for path in DOCUMENTS:
        assert "for 12 months" not in words(files[path])
        assert "for 6 months" in words(files[path])
    assert 'Period(text="P6M", months=6' in words(files["retention/__init__.py"])
    assert 'text="P12M"' not in files["retention/__init__.py"]
    assert "6 months" in files["records/processing-record.csv"]
    assert json.loads(files["records/processing-record.json"])["erasure"]["usage"]["keep"] == "P6M"
    # The age of a row is no part of the database's structure.
    assert last_migration(files) == ""
    assert files["database/schema.sql"].splitlines()[1:] == before()["database/schema.sql"].splitlines()[1:]


WITHOUT_OPENPANEL = (
    "  openpanel:\n",
    "      processor-openpanel",
    "      cookie-analytics",
    "analytics:",
    "storage:",
    "  improvement:",
)


def test_a_processor_that_goes_leaves_every_output() -> None:
    text = edited(("essential: always, analytics: opt_in", "essential: always"), text=lines_out(*WITHOUT_OPENPANEL))
    files = rendered(text, history())
    left = {path for path, content in files.items() if "openpanel" in content.lower()} - {"policy/policy.schema.json"}
    assert left == set()
    assert "web/analytics.json" in before()
    assert "web/analytics.json" not in files
    assert "analytics=None" in files["service/web.py"]
    assert "openpanel-pending-revenues" not in files["web/storage.json"]
    assert "improvement" not in files["service/purposes.py"]
    assert last_migration(files) == ""
    assert {"service/processors.py", "service/web.py", "web/consent.json", "records/processing-record.json"} <= drift(
        files
    )


def test_deleting_only_the_processor_lists_all_that_hangs_on_it_and_the_hints_lead_to_a_clean_file() -> None:
    text = lines_out("  openpanel:\n")
    loaded = load(text)
    assert said(loaded) == [
        "PR-04 analytics.processor",
        "PR-07 sections[3].claims.processor-openpanel.about",
    ]
    text = lines_out("      processor-openpanel", "analytics:", text=text)
    assert said(load(text)) == [
        "PX-26 storage.openpanel-pending-revenues.category",
        "PR-07 sections[7].claims.cookie-analytics.about",
    ]
    assert "PR-52 storage.openpanel-pending-revenues" in said(load(lines_out("      cookie-analytics", text=text)))
    text = lines_out("storage:", "      cookie-analytics", text=text)
    assert policy_of(text).processors.keys() == policy_of(TEXT).processors.keys() - {"openpanel"}


def line_of(beginning: str) -> str:
    """The one line of the file that begins so."""
    (line,) = (line for line in TEXT.splitlines(keepends=True) if line.startswith(beginning))
    return line


WEB_SEARCH, NAME = line_of("      web_search_requests: {"), line_of("      name: {label")
WEB_FETCH = line_of("      web_fetch_requests: {")
WITHOUT_WEB_FETCH = lines_out("      web_fetch_requests: {")
PICTURE = NAME.replace("name: {label: name", "picture: {label: picture").replace("user.name", "user.contact")
COMPANY = PICTURE.replace("picture", "company").replace("dpv: Name", "dpv: EmploymentHistory, source: crouter")


@pytest.mark.parametrize(
    ("start", "after", "line", "table", "column", "sql_type", "source", "label"),
    [
        (
            WITHOUT_WEB_FETCH,
            WEB_SEARCH,
            WEB_FETCH,
            "usage",
            "web_fetch_requests",
            "bigint",
            "measurement",
            "web fetch counts",
        ),
        (TEXT, NAME, PICTURE, "account", "picture", "text", "identity", "picture"),
        (TEXT, NAME, COMPANY, "account", "company", "text", "service", "company"),
    ],
    ids=["a measure", "what a sign-in tells", "what a customer may say"],
)
def test_a_field_that_comes_is_said_declared_kept_and_recorded(
    start: str, after: str, line: str, table: str, column: str, sql_type: str, source: str, label: str
) -> None:
    text = edited((after, after + line), text=start)
    files = rendered(text, history(start))
    for path in DOCUMENTS:
        assert label in words(files[path])
        assert label not in words(before(start)[path])
    assert f'name="{column}"' in files[f"service/records/{table}.py"]
    assert make_plan(policy_of(text)).deployment.record(table).field(column).source == source
    migration = last_migration(files)
    assert f'ALTER TABLE "crouter"."{table}" ADD COLUMN "{column}" {sql_type}' in words(migration)
    assert "DROP" not in migration.upper().replace("DROP POLICY", "")
    assert f'"{column}" {sql_type}' in words(files["database/schema.sql"])
    for path in ("records/processing-record.json", "records/tilt.json", "records/fideslang.json"):
        assert label in files[path] or column in files[path], path
    assert all(files[path] == old for path, old in before(start).items() if path.endswith("_initial.sql"))


def test_another_contact_reaches_document_service_and_records() -> None:
    files = rendered(edited(("contact: contact@crouter.dev", "contact: privacy@crouter.example")), history())
    for path in (*DOCUMENTS, "service/__init__.py", "records/processing-record.json", "records/tilt.json"):
        assert "privacy@crouter.example" in files[path], path
        assert "privacy@crouter.example" not in before()[path]
    assert [path for path, text in files.items() if "contact@crouter.dev" in text] == []
    assert last_migration(files) == ""


# Further edits, as a table: tests/cases/edits/edits.yaml

EDITS = yaml.safe_load((POLICY.parent / "tests" / "cases" / "edits" / "edits.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EDITS["fine"])
def test_an_edit_reaches_what_it_is_about(name: str) -> None:
    edit = EDITS["fine"][name]
    files = rendered(edited(*changes_of(edit["edit"])), history())
    assert edit.get("comes") or edit.get("goes")
    for path, wanted in edit.get("comes", {}).items():
        assert words(files[path]).count(wanted) > words(before()[path]).count(wanted), path
    for path, unwanted in edit.get("goes", {}).items():
        assert words(files.get(path, "")).count(unwanted) < words(before()[path]).count(unwanted), path


@pytest.mark.parametrize("name", EDITS["refused"])
def test_an_edit_that_does_not_fit_is_answered_with_every_place(name: str) -> None:
    loaded = load(edited(*changes_of(EDITS["refused"][name]["edit"])))
    assert loaded.policy is None
    assert said(loaded) == EDITS["refused"][name]["problems"]
    assert all(problem.place.line > 0 and problem.hint for problem in loaded.problems)


def test_an_edge_that_goes_takes_the_worker_and_its_sentences_along() -> None:
    text = lines_out("  edge: {processor", "      security-edge", "      processor-cloudflare", "  cloudflare:\n")
    text = edited(("header_filter, edge_worker, ", "header_filter, "), text=text)
    files = rendered(text, history())
    assert not [path for path in files if path.startswith("edge/")]
    assert "edge" not in files["policy/privacy-policy.txt"]
    assert set(said(load(lines_out("  edge: {processor")))) >= {
        "PR-31 processors.cloudflare.receives[0]",
        "PR-07 sections[4].claims.security-edge.about",
        "PX-24 sections[1].claims.exclude-location.enforced_by[1]",
    }


def test_sections_in_another_order_change_the_documents_only() -> None:
    at = TEXT.index("  - title: Contact\n")
    contact, first = TEXT[at:], TEXT.index("  - title: What We Collect\n")
    files = rendered(TEXT[:first] + contact + TEXT[first:at], history())
    about_sentences = {path for path in files if path.startswith(("policy/history/", "policy/proof."))}
    assert drift(files) <= {*DOCUMENTS, *about_sentences, "records/claims.json", "records/tilt.json"}
    assert set(DOCUMENTS) <= drift(files)
    assert files["policy/privacy-policy.txt"].index("[contact]") < files["policy/privacy-policy.txt"].index("[collect-")


def test_data_fields_in_another_order_change_no_database() -> None:
    email = next(line for line in TEXT.splitlines(keepends=True) if line.startswith("      email: {"))
    files = rendered(edited((email, ""), (NAME, NAME + email), text=TEXT), history())
    assert last_migration(files) == ""
    assert "name and email address" in words(files["policy/privacy-policy.txt"])


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        "\n".join(line for line in TEXT.splitlines() if not line.lstrip().startswith("#")) + "\n",
        TEXT.replace("name: Crouter\n", "name: 'Crouter'\n").replace("locale: en", 'locale:   "en"  # English'),
        TEXT.replace("  profiles: [gdpr]", "  profiles:\n    - gdpr"),
        TEXT.rstrip("\n"),
        TEXT.replace("channel: contact, deadline: P30D", "deadline: P30D, channel: contact"),
    ],
    ids=["CRLF", "no comments", "quotes", "another layout", "no last line end", "keys of a part in another order"],
)
def test_layout_changes_nothing_at_all(text: str) -> None:
    assert text != TEXT
    assert policy_digest(policy_of(text)) == policy_digest(policy_of(TEXT))
    assert rendered(text) == before()


def test_parts_in_another_order_change_nothing_at_all() -> None:
    at, end = TEXT.index("controller:\n"), TEXT.index("policy:\n  title")
    text = TEXT[:at] + TEXT[end:] + ("" if TEXT.endswith("\n") else "\n") + TEXT[at:end]
    assert rendered(text) == before()
