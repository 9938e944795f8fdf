"""The library's statements run on exactly the columns that `crouter/policy/needs.py` lists, and on not one less."""

import asyncio
import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.policy.needs import KNOWN_COLUMNS, NEEDED_TABLES
from crouter.runtime.access_records import AccessRecords, Operator
from crouter.runtime.account_limits import LimitStore
from crouter.runtime.accounts import Accounts
from crouter.runtime.batches import BatchRecords, TooLittle
from crouter.runtime.credit.store import LeaseStore
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.database.pool import Database
from crouter.runtime.identity.entry import Entered, Entry, Leaving, Refused
from crouter.runtime.identity.provider import Identity
from crouter.runtime.identity.sessions import Lasting, Sessions
from crouter.runtime.key_lookup import StoredKeys
from crouter.runtime.keys import KeyStore
from crouter.runtime.master_keys import MasterKeys
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import Outcome, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.usage import UsageCounts
from crouter.runtime.purposes import PurposeRefusedError
from crouter.runtime.reconciliation.figure import Figure
from crouter.runtime.reconciliation.store import Results
from crouter.runtime.retention.options import RetentionOptions, RetentionRefusedError
from crouter.runtime.retention.run import run_retention
from crouter.runtime.sealing import KeyedHasher
from crouter.runtime.secret import Secret
from crouter.runtime.settings import StoreSettings, read_settings
from crouter.runtime.spending.figures import SpendingFigures
from crouter.runtime.spending.months import limit_id, month_of
from crouter.runtime.spending.store import MonthLimit, SpendingStore
from crouter.runtime.usage import Settlement, UsageStore, noted_of
from tests.behaviour.service import environment

MINIMAL = Path(__file__).parents[1] / "cases" / "minimal" / "policy.yaml"
# What a deletion needs is found by the retention rules, and what a request is measured by through its names.
BY_RULES = {"account": {"deletion_requested_at", "erased_at"}, "usage": {"id", "account_id", "model", "occurred_at"}}
OPTIONAL = ("batch", "session", "account_limits", "key_spending", "spending_lease", "access_record")
NOBODYS = ("reconciliation",)
# Features with tests of their own run their statements there, on tables that hold exactly what is needed.
TABLES = {
    name: table
    for name, table in NEEDED_TABLES.items()
    if not table.may_be_missing or name in (*OPTIONAL, *NOBODYS, "retention_run")
}
COLUMNS = [(name, column) for name, table in TABLES.items() for column in table.columns]


def _table(name: str) -> str:
    table = NEEDED_TABLES[name]
    columns = "".join(
        f"      {field}: {{type: {column.type}, why: {column.why}"
        + (", key: true" if column.key else "")
        + (f", to: {column.to}" if column.to else "")
        + (", unique: true" if column.unique and not column.key else "")
        + (", optional: true" if not column.written_always else "")
        + (", changes: true" if column.changes else "")
        + (f", values: [{', '.join(column.values)}]" if column.values else "")
        + "}\n"
        for field, column in table.columns.items()
    )
    owner = f"\n    owner: {table.owner}" if table.owner else ""
    about = f"label: {table.label}\n    when: {table.when}\n    subject: {table.subject}{owner}"
    head = f"  {name}:\n    {about}\n"
    return f"{head}    source: service\n    technical:\n{columns}"


def _evidence() -> str:
    table = NEEDED_TABLES["retention_run"]
    columns = "".join(
        f"      {name}: {{type: {column.type}, why: {column.why}"
        + (", optional: true" if not column.written_always else "")
        + (f", values: [{', '.join(column.values)}]" if column.values else "")
        + "}\n"
        for name, column in table.columns.items()
    )
    head = (
        f"  retention_run:\n    label: {table.label}\n    when: {table.when}\n    subject: none\n    source: service\n"
    )
    return f"{head}    technical:\n      id: {{type: uuid, key: true, why: names the run}}\n{columns}"


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Path]:
    """The deployment of the minimal policy with what it may leave out, and its migrations."""
    tables = "".join(map(_table, (*OPTIONAL, *NOBODYS)))
    text = MINIMAL.read_text(encoding="utf-8").replace("never:\n", tables + _evidence() + "never:\n", 1)
    kept = f"credit_lease, {', '.join((*OPTIONAL, *NOBODYS))}, retention_run], keep: while_active}}"
    text = text.replace("credit_lease], keep: while_active}", kept)
    text = text.replace("credit_lease], event", f"credit_lease, {', '.join(OPTIONAL)}], event")
    # The library fills this where it is declared, and spending limits need it.
    revoked = "      revoked_at: {type: timestamp, optional: true, why: ends the key}\n"
    assert revoked in text
    limit = "      month_limit_nanousd: {type: nanousd, optional: true, changes: true, why: limits what is spent}\n"
    text = text.replace(revoked, revoked + limit)
    for name in ("batch", "session"):
        claim = f"      collect-{name}: {{says: collects, about: data.{name}, enforced_by: [declared_columns]}}\n"
        text = text.replace("      use-email:", f"{claim}      use-email:")
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    folder = tmp_path_factory.mktemp("smallest") / "generated"
    emit(loaded.policy, folder)
    return make_plan(loaded.policy).deployment, folder / "database" / "migrations"


@pytest.fixture(scope="module")
def smallest_database(cluster: RunningCluster, smallest: tuple[Deployment, Path]) -> str:
    deployment, migrations = smallest
    migrate(cluster.ensure_database("smallest"), migrations, Origin.of(deployment), plain_postgres=True)
    return "smallest"


@pytest.fixture
def own_database(cluster: RunningCluster, smallest_database: str, database_names: Iterator[str]) -> str:
    name = next(database_names)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(smallest_database)))
    return cluster.dsn(name)


def _settlement(account: uuid.UUID, key: uuid.UUID) -> Settlement:
    draft = UsageRecordDraft(
        model_requested="claude",
        model_reported="claude",
        options_requested=ORDINARY,
        counts=UsageCounts(input_tokens=5, output_tokens=7),
        outcome=Outcome.COMPLETE,
        status=200,
        billable=True,
        output_is_placeholder=False,
        unknown_keys=(),
        anomalies=(),
    )
    return Settlement(uuid.uuid4(), account, key, datetime.now(UTC), draft, Charge(12, (), "2026-11-23", ()))


async def operators_statements(deployment: Deployment, database: Database, account: uuid.UUID) -> None:
    """What operators' commands and pages write and read by name."""
    accesses, results = AccessRecords(deployment, database), Results(deployment, database)
    await accesses.add(Operator("on-call", "a test"), account, "account")
    assert [record.reason for record in await accesses.of(account, 1)] == ["a test"]
    today = datetime.now(UTC).date()
    await results.keep([Figure("upstream", today, "claude", "output_tokens", 1, 2)], datetime.now(UTC))
    assert [checked.state for checked in await results.last(today)] == ["unexplained"]
    assert (await results.unexplained())["upstream"] == 1


async def entering_statements(
    deployment: Deployment, database: Database, store: StoreSettings, account: uuid.UUID
) -> Entry:
    """What sessions, and those who come in, write and read by name."""
    sessions = Sessions(deployment, database, store.sealing, timedelta(days=1))
    session = await sessions.begin(account, Secret("renewal"))
    assert await sessions.lasting(session) == Lasting(account, is_due=False)
    assert await sessions.take_renewal(session) is None
    await sessions.put_renewal(session, Secret("following"))
    assert await sessions.end(session) == Secret("following")
    entry = Entry(deployment, database)
    assert await entry.of(Identity(account, "ada@example.org", "Ada")) == Entered(account, is_new=False)
    assert await entry.of(Identity(uuid.uuid4(), "ADA@example.org", "Ada")) == Refused("address_taken")
    assert isinstance(await entry.of(Identity(uuid.uuid4(), "grace@example.org", "Grace")), Entered)
    return entry


async def batch_statements(
    deployment: Deployment, database: Database, accounts: Accounts, account: uuid.UUID, key: uuid.UUID
) -> None:
    """What a batch writes and reads by name, where the balance is used up at first."""
    batches = BatchRecords(deployment, database)
    record = await batches.reserve(account, key, 1, datetime.now(UTC))
    assert record == TooLittle(0), "the balance is used up"
    await accounts.credit(account, 10)
    record = await batches.reserve(account, key, 1, datetime.now(UTC))
    assert isinstance(record, uuid.UUID)
    await batches.name(record, "msgbatch_1")
    assert (await batches.page(account, 1)).batches == (await batches.find(account, "msgbatch_1"),)
    await batches.settle(record)
    await batches.end(record)


async def every_statement(deployment: Deployment, dsn: str) -> None:
    """Everything that the library writes and reads by name, once."""
    store = read_settings(deployment, environment(dsn, "http://127.0.0.1:1")).store
    database = Database(store, deployment.database_schema)
    await database.open()
    try:
        accounts, keys = Accounts(deployment, database), KeyStore(deployment, database, store)
        account = await accounts.create("ada@example.org", "Ada")
        assert await accounts.find("ADA@example.org") == account
        for amount, kind in ((7, "grant"), (5, "top_up"), (-2, "refund")):
            await accounts.credit(account, amount, kind)  # type: ignore[arg-type]  # the literals of CreditKind
        new = await keys.create(account)
        assert [listed.last_four for listed in await keys.list(account)] == [new.key.reveal()[-4:]]
        hashes = KeyedHasher(store.lookup).all(new.key.reveal())
        caller = await StoredKeys(deployment, database).find(hashes)
        assert caller is not None
        process = uuid.uuid4()
        leases = LeaseStore(deployment, database, process)
        assert (await leases.extend(uuid.uuid4(), account, 5, 5, 0)).granted == 5
        assert len(await leases.renew([uuid.uuid4()])) == 0
        await leases.give_back(uuid.uuid4(), 1)
        await leases.empty([uuid.uuid4()])
        await leases.ask_back(account)
        limits = LimitStore(deployment, database)
        await limits.set(account, {"requests_per_minute": 5})
        assert (await limits.of(account)).own["requests_per_minute"] == 5
        rooms = SpendingStore(deployment, database, process)
        month = MonthLimit(limit_id(account, datetime.now(UTC)), account, None, month_of(datetime.now(UTC)))
        rooms.know(month)
        assert (await rooms.extend(uuid.uuid4(), month.id, 5, 5, 0)).granted == 5
        await rooms.renew([uuid.uuid4()])
        await rooms.ask_back(month.id)
        settlement = _settlement(account, caller.key)
        shipped = await UsageStore(deployment, database).ship(process, [noted_of(settlement, "digest")])
        assert shipped.remaining == {account: 5 - 12}
        await leases.empty_all(process)
        await rooms.empty_all(process)
        assert (await SpendingFigures(deployment, database).of(account, datetime.now(UTC))) == {caller.key: 12}
        assert await accounts.balance(account) == 7 + 5 - 2 - 12
        assert [state.balance_nanousd for state in await accounts.list()] == [-2]
        assert (await keys.open(new.id)).reveal() == new.key.reveal()
        await MasterKeys(deployment, database, store).renew()
        await keys.revoke((await keys.rotate(account)).id)
        await batch_statements(deployment, database, accounts, account, new.id)
        entry = await entering_statements(deployment, database, store, account)
        await operators_statements(deployment, database, account)
        await accounts.request_deletion(account)
        assert isinstance(await entry.known(account), Leaving)
        await accounts.take_back_deletion(account)
    finally:
        await database.close()
    results = await asyncio.to_thread(run_retention, dsn, deployment, RetentionOptions())
    assert {result.outcome for result in results} == {"complete"}


def test_the_schema_has_exactly_the_needed_columns(smallest: tuple[Deployment, Path]) -> None:
    deployment, _ = smallest
    for name, table in TABLES.items():
        others = BY_RULES.get(name, {"id"})
        known = KNOWN_COLUMNS.get(name, {}).keys()
        assert set(deployment.record(name).field_names) - others - known == table.columns.keys() - others


async def test_every_statement_runs_on_exactly_these_columns(
    smallest: tuple[Deployment, Path], own_database: str
) -> None:
    await every_statement(smallest[0], own_database)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_without_one_of_them_a_statement_fails(
    smallest: tuple[Deployment, Path], own_database: str, table: str, column: str
) -> None:
    drop = sql.SQL("ALTER TABLE crouter.{} DROP COLUMN {} CASCADE")
    with psycopg.connect(own_database, autocommit=True) as connection:
        connection.execute(drop.format(sql.Identifier(table), sql.Identifier(column)))
    records = tuple(
        dataclasses.replace(record, fields=tuple(field for field in record.fields if field.name != column))
        if record.name == table
        else record
        for record in smallest[0].records
    )
    with pytest.raises((DatabaseError, KeyError, PurposeRefusedError, RetentionRefusedError, AssertionError)):
        await every_statement(dataclasses.replace(smallest[0], records=records), own_database)
