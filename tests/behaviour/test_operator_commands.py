"""Commands of operators on a real database: nobody's data without a purpose, books that are verified, lost records."""

import json
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crouter.cli.application import main
from crouter.embedded import RunningCluster
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import FORM, Entry, entry_bytes
from crouter.runtime.journal.quarantine import quarantined_records, set_aside
from tests.behaviour.deployment import POLICY, Generated
from tests.behaviour.service import environment

WHY = ("--purpose", "question 17")


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Office:
    """A project, its database and journal, and commands in it."""

    dsn: str
    journal: Path
    crouter: Callable[..., Done]

    def rows(self, table: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("crouter", table))).fetchall()

    def execute(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def project(whole: Generated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    shutil.copy(POLICY, folder / "policy.yaml")
    shutil.copytree(whole.folder, folder / "generated")
    return folder


@pytest.fixture
def generated_apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands find the package of their own project, and leave nothing of it to other tests."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "generated"}
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in before:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "generated"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def office(
    generated_apart: None,
    project: Path,
    cluster: RunningCluster,
    dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Office:
    monkeypatch.chdir(project)
    settings = environment(
        dsn, "http://127.0.0.1:1", CROUTER_JOURNAL=str(tmp_path / "journal"), CROUTER_OPERATOR="on-call"
    )
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def crouter(*arguments: str) -> Done:
        status = main(arguments)
        written = capsys.readouterr()
        return Done(int(status), written.out, written.err)

    return Office(dsn, tmp_path / "journal", crouter)


@pytest.fixture
def account(office: Office) -> str:
    made = office.crouter("accounts", "create", "--email", "ada@example.org", "--name", "Ada")
    assert made.status == 0, made.err
    return made.out.strip()


@pytest.mark.claim("collect-access", by=["access_records"])
@pytest.mark.parametrize(
    "command",
    [
        ("accounts", "show", "ada@example.org"),
        ("accounts", "credit", "ada@example.org", "5"),
        ("accounts", "delete", "ada@example.org"),
        ("ledger", "statement", "ada@example.org"),
        ("ledger", "export", "ada@example.org"),
        ("keys", "create", "ada@example.org"),
        ("keys", "list", "ada@example.org"),
        ("keys", "rotate", "ada@example.org"),
        ("limits", "show", "ada@example.org"),
        ("limits", "set", "ada@example.org", "requests_per_minute", "500"),
        ("limits", "spend", "ada@example.org", "20"),
        ("requests", "open", "ada@example.org", "objection"),
    ],
)
def test_a_command_about_a_person_needs_a_purpose_and_records_it(
    office: Office, account: str, command: tuple[str, ...]
) -> None:
    refused = office.crouter(*command)
    assert (refused.status, refused.out) == (64, "")
    assert "--purpose" in refused.err
    assert office.rows("access_record") == []
    for table in ("ledger", "api_key", "account_limits", "data_request"):
        assert office.rows(table) == []
    done = office.crouter(*command, *WHY)
    assert done.status == 0, done.err
    (record,) = office.rows("access_record")
    assert (str(record["account_id"]), record["operator"], record["reason"]) == (account, "on-call", "question 17")


def needs_a_purpose(office: Office, *command: str) -> None:
    """Without one nothing is recorded, read or changed; with one it is recorded, once, before anything else."""
    before = office.rows("access_record")
    refused = office.crouter(*command)
    assert (refused.status, refused.out, "--purpose" in refused.err) == (64, "", True)
    assert office.rows("access_record") == before
    done = office.crouter(*command, *WHY)
    assert done.status == 0, done.err
    assert len(office.rows("access_record")) == len(before) + 1


def accessed(office: Office) -> list[str]:
    return [str(row["accessed"]) for row in sorted(office.rows("access_record"), key=lambda row: row["occurred_at"])]


@pytest.mark.claim("collect-access", by=["access_records"])
def test_a_command_about_one_key_needs_a_purpose_and_its_owner_can_read_it(office: Office, account: str) -> None:
    key = office.crouter("keys", "create", account, *WHY, "--json").json["id"]
    needs_a_purpose(office, "keys", "name", key, "laptop")
    needs_a_purpose(office, "keys", "limit", key, "12.50")
    needs_a_purpose(office, "keys", "revoke", key)
    assert {str(row["account_id"]) for row in office.rows("access_record")} == {account}
    assert accessed(office)[1:] == [
        "API keys: one named",
        "API keys: spending limit of one changed",
        "API keys: one revoked",
    ]
    foreign = office.crouter("keys", "revoke", str(uuid.uuid4()), *WHY)
    assert (foreign.status, "no key has that id" in foreign.err) == (1, True)
    assert len(office.rows("access_record")) == 4


@pytest.mark.claim("collect-access", by=["access_records"])
def test_a_command_about_one_request_needs_a_purpose_and_its_owner_can_read_it(office: Office, account: str) -> None:
    request = office.crouter("requests", "open", account, "correction", *WHY, "--json").json["id"]
    needs_a_purpose(office, "requests", "show", request)
    needs_a_purpose(office, "requests", "extend", request, "--reason", "complex")
    needs_a_purpose(office, "requests", "answer", request)
    assert {str(row["account_id"]) for row in office.rows("access_record")} == {account}
    assert accessed(office)[1:] == [f"privacy request: {done}" for done in ("shown", "extended", "answered")]
    foreign = office.crouter("requests", "show", str(uuid.uuid4()), *WHY)
    assert (foreign.status, "no request has that id" in foreign.err) == (1, True)
    assert len(office.rows("access_record")) == 4


def test_what_names_nobody_needs_no_purpose_and_records_nothing(office: Office, account: str) -> None:
    assert office.crouter("requests", "open", account, "copy", *WHY).status == 0
    for line in ("accounts list", "requests list", "requests list --deletions", "journal list", "reconcile"):
        done = office.crouter(*line.split())
        assert (done.status, "ada" in done.out.lower()) == (0, False), done.err
    for line in ("ledger verify", "ledger trial-balance", "reconcile", "keys rotate-master"):
        done = office.crouter(*line.split())
        assert (done.status, account in done.out) == (0, False), done.err
    assert len(office.rows("access_record")) == 1


def test_nobody_is_recorded_who_is_not_there(office: Office) -> None:
    for named in (str(uuid.uuid4()), "nobody@example.org"):
        done = office.crouter("accounts", "show", named, *WHY)
        assert (done.status, "no account has that" in done.err) == (1, True)
        assert "nobody@example.org" not in done.err
    assert office.rows("access_record") == []


def test_the_list_of_accounts_names_nobody_and_needs_no_purpose(office: Office, account: str) -> None:
    listed = office.crouter("accounts", "list")
    assert account in listed.out
    assert "ada" not in listed.out.lower()
    shown = office.crouter("accounts", "show", account, *WHY, "--json").json
    assert (shown["email"], shown["name"], shown["balance_nanousd"]) == ("ada@example.org", "Ada", 0)


def test_limits_of_an_account_are_shown_changed_and_given_back(office: Office, account: str) -> None:
    before = office.crouter("accounts", "limits", account, *WHY, "--json").json
    assert (before["requests_per_minute"], before["month_limit_nanousd"]) == (50, None)
    change = ("--set", "requests_per_minute=500", "--month", "20")
    changed = office.crouter("accounts", "limits", account, *WHY, *change, "--json").json
    assert (changed["requests_per_minute"], changed["month_limit_nanousd"]) == (500, 20_000_000_000)
    back = ("--set", "requests_per_minute=policy", "--month", "none")
    assert office.crouter("accounts", "limits", account, *WHY, *back, "--json").json == before
    for wrong in ("requests_per_minute=0", "requests=5", "requests_per_minute"):
        assert office.crouter("accounts", "limits", account, *WHY, "--set", wrong).status == 64
    assert [row["accessed"] for row in office.rows("access_record")] == ["limits", "limits: changed", "limits: changed"]


def test_the_books_are_balanced_and_a_nanodollar_too_much_is_found(office: Office, account: str) -> None:
    for dollars in ("10", "2.5"):
        assert office.crouter("accounts", "credit", account, dollars, *WHY).status == 0
    trial = office.crouter("ledger", "trial-balance", "--json")
    assert (trial.status, trial.json["difference_nanousd"]) == (0, 0)
    assert trial.json["accounts"]["customers"] == 12_500_000_000
    assert office.crouter("ledger", "verify").status == 0
    exported = office.crouter("ledger", "export", account, *WHY).out.splitlines()
    assert exported[0] == "id,kind,amount_nanousd,occurred_at,price_version"
    assert sum(int(line.split(",")[2]) for line in exported[1:]) == 12_500_000_000
    # Behind the database's back, as only its owner can.
    office.execute("ALTER TABLE crouter.ledger DISABLE TRIGGER USER")
    office.execute("UPDATE crouter.ledger SET amount_nanousd = amount_nanousd + 1 WHERE amount_nanousd = 2500000000")
    found = office.crouter("ledger", "verify", "--json")
    assert found.status == 1
    (wrong,) = [figure for figure in found.json if figure["state"] == "unexplained"]
    assert (wrong["subject"], abs(wrong["unexplained"])) == ("both sides of the books", 1)
    assert office.crouter("ledger", "trial-balance").status == 1


def test_reconciling_without_other_sides_says_which_were_not_asked(office: Office, account: str) -> None:
    done = office.crouter("reconcile", "--json")
    assert done.status == 0, done.err
    assert set(done.json["unasked"]) == {"upstream", "stripe"}
    assert {figure["state"] for figure in done.json["figures"]} == {"agrees"}
    assert len(office.rows("reconciliation")) == len(done.json["figures"])
    office.execute(
        "INSERT INTO crouter.ledger (id, account_id, kind, amount_nanousd, occurred_at) "
        "VALUES (gen_random_uuid(), %s, 'charge', -5, now())",
        account,
    )
    lost = office.crouter("reconcile")
    assert lost.status == 2
    assert "charges without a usage record" in lost.out


def entry(account: str, key: uuid.UUID) -> Entry:
    return Entry(
        id=uuid.uuid4(),
        account=uuid.UUID(account),
        api_key=key,
        occurred_at=datetime.now(UTC),
        model="claude-haiku-4-5",
        input_tokens=7,
        output_tokens=5,
        outcome="complete",
        cost_nanousd=32_000,
        price_version="1",
        policy_digest="0" * 64,
        form=FORM,
    )


def test_records_that_were_set_aside_are_shipped_once_or_dropped_on_purpose(office: Office, account: str) -> None:
    key = json.loads(office.crouter("keys", "create", account, *WHY, "--json").out)["id"]
    good, foreign = entry(account, uuid.UUID(key)), entry(account, uuid.uuid4())
    process = uuid.uuid4()
    for body in (entry_bytes(good), entry_bytes(foreign), entry_bytes(good), b"of another version"):
        set_aside(Disk(), office.journal, process, body)
    listed = {record["request"]: record for record in office.crouter("journal", "list", "--json").json}
    # What was set aside twice is one record.
    assert len(listed) == 3
    assert listed[f"req_{good.id.hex}"]["cost_nanousd"] == 32_000
    for command in (("ship", "--all"), ("drop", listed[f"req_{good.id.hex}"]["name"], "--yes")):
        assert (office.crouter("journal", *command).status, len(office.rows("access_record"))) == (64, 1)
    shipped = office.crouter("journal", "ship", "--all", *WHY, "--json")
    assert shipped.status == 1
    assert shipped.json["shipped"] == [listed[f"req_{good.id.hex}"]["name"]]
    assert len(shipped.json["refused"]) == 2
    assert accessed(office)[1:] == ["usage: 2 requests written late"]
    assert [row["id"] for row in office.rows("usage")] == [good.id]
    assert [(row["id"], row["amount_nanousd"]) for row in office.rows("ledger")] == [(good.id, -32_000)]
    left = {record.name for record in quarantined_records(office.journal)}
    assert left == set(shipped.json["refused"])
    name = listed[f"req_{foreign.id.hex}"]["name"]
    asked = office.crouter("journal", "drop", name, *WHY)
    assert (asked.status, "--yes" in asked.err) == (1, True)
    assert len(office.rows("access_record")) == 2
    assert office.crouter("journal", "drop", name, "--yes", *WHY).status == 0
    assert accessed(office)[2:] == ["usage: 1 request given up, not charged"]
    assert {record.name for record in quarantined_records(office.journal)} == left - {name}
    assert office.crouter("journal", "ship", name, *WHY).status == 1
    # A process that goes on sets aside in the same file.
    set_aside(Disk(), office.journal, process, entry_bytes(foreign))
    assert name in {record.name for record in quarantined_records(office.journal)}
