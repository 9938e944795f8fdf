import random
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pglast import parse_sql
from psycopg import sql

from crouter.generate.history import History
from crouter.generate.migrations import extend_history, pending_migration
from crouter.generate.render import render_all
from crouter.generate.templates import Templates
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.policy.model import Policy
from tests.cases.generate.cases import FOLDER, whole_policy
from tests.unit.generate.catalog import described
from tests.unit.generate.conftest import Database, Databases

TEMPLATES = Templates()
SMALLEST = FOLDER.parent / "minimal" / "policy.yaml"

HOSTILE = (
    "'; DROP TABLE account; --",
    "\\'; SELECT 1; --",
    "$$ $body$ */ /* {{ view }} {% raw %}",
    'a "quoted" \\ name \\',
    "E'\\x27' U&'\\0027' %s %(x)s",
    "ünïcode ‘quotes’ 文字 🙂",
)

A_FIELD = {
    "label": "company",
    "type": "text",
    "purposes": ["billing"],
    "data_category": "user.workplace",
    "dpv": "Name",
}


def extended(history: History, policy: Policy) -> History:
    return extend_history(make_plan(policy), TEMPLATES, history)


def initial(edits: dict[str, Any] | None = None) -> History:
    return extended(History.empty(), whole_policy(edits))


def pending(edits: dict[str, Any], before: dict[str, Any] | None = None) -> tuple[str, tuple[str, ...]] | None:
    """The name of the migration that the edits need and what it destroys."""
    migration = pending_migration(whole_policy({**(before or {}), **edits}), initial(before))
    return (migration.name, migration.destroys) if migration else None


def run(database: Database, text: str) -> None:
    with database.transaction():
        database.execute(text.encode())


def schema_sql(policy: Policy) -> str:
    return render_all(policy, History.empty())["database/schema.sql"]


# What is decided


def test_the_first_migration_is_named_initial_and_dated_by_the_policy() -> None:
    (migration,) = initial().migrations
    assert migration.path == "database/migrations/20250105000000_initial.sql"
    assert migration.destroys == ()


KINDS = ("grant", "top_up", "charge", "refund", "carried")


@pytest.mark.parametrize(
    ("edits", "name", "destroys"),
    [
        ({"data.account.fields.company": A_FIELD}, "add_account_company", ()),
        ({"data.usage.fields.model": None}, "drop_usage_model", ("usage.model",)),
        ({"data.usage.fields.model.type": "count"}, "change_usage_model", ("usage.model",)),
        ({"data.account.fields.name.required": True}, "change_account", ()),
        ({"data.ledger.technical.kind.values": [*KINDS, "fee"]}, "change_ledger", ()),
        ({"data.ledger.technical.kind.values": [*KINDS[1:]]}, "change_ledger", ("ledger.kind=grant",)),
        ({"data.retention_run": None, "retention.evidence": None}, "drop_retention_run", ("retention_run",)),
        (
            {"data.usage.fields.maker": A_FIELD, "data.usage.fields.model": None},
            "add_usage_maker_and_drop_usage_model",
            ("usage.model",),
        ),
    ],
)
def test_a_change_of_structure_needs_one_migration_that_says_what_it_destroys(
    edits: dict[str, Any], name: str, destroys: tuple[str, ...]
) -> None:
    assert pending(edits) == (name, destroys)


@pytest.mark.parametrize(
    "edits",
    [
        {"data.usage.label": "figures of use", "data.usage.fields.model.label": "name of the model"},
        {"retention.usage.keep": "P6M"},
        {"data.usage.fields.model.purposes": ["billing"]},
        {"controller.contact": "privacy@example.com", "policy.version": "2"},
        {"data.ledger.technical.kind.values": [*reversed(KINDS)]},
    ],
)
def test_a_change_without_structure_needs_no_migration(edits: dict[str, Any]) -> None:
    assert pending(edits) is None


def test_the_order_of_columns_needs_no_migration() -> None:
    policy = whole_policy()
    usage = policy.data["usage"]
    turned = usage.model_copy(update={"fields": dict(reversed(usage.fields.items()))})
    assert pending_migration(policy.model_copy(update={"data": {**policy.data, "usage": turned}}), initial()) is None


def test_a_better_label_reaches_the_database_with_the_next_migration() -> None:
    history = extended(initial(), whole_policy({"data.usage.label": "figures"}))
    assert history == initial()
    after = extended(history, whole_policy({"data.usage.label": "figures", "data.account.fields.company": A_FIELD}))
    assert "'figures (data.usage)'" in after.texts[-1]


def test_a_migration_follows_the_last_one_even_if_the_policys_date_does_not() -> None:
    history = extended(initial(), whole_policy({"data.account.fields.company": A_FIELD}))
    assert history.migrations[-1].version == "20250105000001"
    later = whole_policy({"policy.effective": date(2026, 2, 3)})
    assert extended(history, later).migrations[-1].version == "20260203000000"


def test_earlier_migrations_stay_as_they_are_to_the_byte() -> None:
    first = initial()
    second = extended(first, whole_policy({"data.usage.fields.model": None}))
    assert second.migrations[:-1] == first.migrations
    assert second.texts[:-1] == first.texts


def test_names_too_long_for_postgresql_are_shortened_and_stay_apart() -> None:
    long = {f"data.account.fields.{'a' * 30}_{end}": A_FIELD for end in ("x", "y")}
    plan = make_plan(whole_policy(long))
    names = [
        name
        for table in plan.schema.tables
        for parts in (table.constraints, table.indexes, table.rules)
        for name in (part.name for part in parts)
    ]
    assert all(len(name) <= 63 for name in names)
    assert len(set(names)) == len(names)


# What PostgreSQL makes of it


@pytest.mark.claim("collect-usage", by="declared_columns")
@pytest.mark.claim("collect-account", by="declared_columns")
def test_the_first_migration_leads_to_the_schema(databases: Databases) -> None:
    migrated, made = databases(), databases()
    run(migrated, initial().texts[0])
    run(made, schema_sql(whole_policy()))
    assert described(migrated) == described(made)
    assert len(described(made)) > 100


def test_the_smallest_policy_makes_a_database(databases: Databases) -> None:
    loaded = load(SMALLEST.read_text(encoding="utf-8"))
    assert loaded.policy is not None
    database = databases()
    run(database, extended(History.empty(), loaded.policy).texts[0])
    assert {row[1] for row in described(database) if row[0] == "table"} == set(loaded.policy.data)


def test_text_of_the_policy_stays_text(databases: Databases) -> None:
    for hostile in HOSTILE:
        edits = {
            "data.account.label": hostile,
            "data.account.fields.email.label": hostile,
            "data.account.technical.id.why": hostile,
        }
        text = schema_sql(whole_policy(edits))
        parse_sql(text)
        database = databases()
        database.execute(b"SET standard_conforming_strings = off" if hostile.startswith("E'") else b"SELECT 1")
        run(database, text)
        comments = database.execute("SELECT description FROM pg_description WHERE objoid = 'crouter.account'::regclass")
        found = {row[0] for row in comments.fetchall()}
        for path in ("data.account", "data.account.email", "data.account.id"):
            assert f"{hostile} ({path})" in found


def test_any_sequence_of_edits_leads_to_the_schema_of_the_last_policy(databases: Databases) -> None:
    # A failure prints the seed.
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)  # noqa: S311 - test data
    migrated, history = databases(), History.empty()
    edits: dict[str, Any] = {}
    policy = whole_policy()
    for _ in range(12):
        for _ in range(dice.randint(1, 4)):
            path, value = random_edit(dice)
            edits[path] = value
        policy = whole_policy(possible(edits))
        following = extended(history, policy)
        for text in following.texts[len(history.texts) :]:
            run(migrated, text)
        history = following
    assert len(history.migrations) > 1, f"seed {seed} tries nothing"
    # Labels may be ahead of the last migration; the same labels on both sides show the structure.
    made = databases()
    run(made, schema_sql(policy))
    assert without_comments(described(migrated)) == without_comments(described(made)), f"seed {seed}: {edits}"


def random_edit(dice: random.Random) -> tuple[str, Any]:
    field = f"data.account.fields.extra_{dice.randint(0, 3)}"
    column = f"data.usage.technical.mark_{dice.randint(0, 2)}"
    kind = dice.choice(["text", "count", "counts", "nanousd", "timestamp", "sealed", "email"])
    values = dice.sample(["one", "two", "three", "four"], dice.randint(1, 4))
    technical: dict[str, Any] = dice.choice(
        [
            {"type": "one_of", "values": values},
            {"type": "reference", "to": dice.choice(["account", "api_key", "extra"])},
            {"type": dice.choice(["uuid", "text", "count", "keyed_hash"]), "unique": dice.random() < 0.5},
        ]
    )
    extra = {
        "label": "extra", "when": "it is", "subject": "none", "source": "crouter",
        "technical": {dice.choice(["id", "key"]): {"type": "uuid", "key": True, "why": "names it"}},
    }  # fmt: skip
    label = {
        "label": "labels", "when": "you name a key", "subject": "customer", "source": "crouter", "owner": "api_key",
        "technical": {
            "id": {"type": "uuid", "key": True, "why": "names it"},
            "api_key_id": {"type": "reference", "to": "api_key", "why": "joins it to its key"},
        },
    }  # fmt: skip
    return dice.choice(
        [
            (field, {**A_FIELD, "type": kind, "required": dice.random() < 0.5}),
            (field, None),
            (column, {**technical, "why": "marks it", "optional": dice.random() < 0.5}),
            (column, None),
            ("data.extra", extra),
            ("data.label", label),
            ("data.label", None),
            ("data.extra", None),
            ("data.account.fields.name.required", dice.random() < 0.5),
            ("data.usage.label", f"label {dice.randint(0, 9)}"),
        ]
    )


def possible(edits: dict[str, Any]) -> dict[str, Any]:
    """The edits without removals of what is not there and references to what is not there, new categories first."""
    kept = {path: value for path, value in edits.items() if value is not None}
    has_extra = "data.extra" in kept
    kept = {p: v for p, v in kept.items() if has_extra or not (isinstance(v, dict) and v.get("to") == "extra")}
    return dict(sorted(kept.items(), key=lambda edit: edit[0] != "data.extra"))


def without_comments(description: set[tuple[object, ...]]) -> set[tuple[object, ...]]:
    return {row[:4] if row[0] == "table" else row[:5] if row[0] == "column" else row for row in description}


def test_a_new_required_field_binds_new_rows_and_leaves_old_ones(databases: Databases) -> None:
    database = databases()
    first = initial()
    run(database, first.texts[0])
    database.execute("INSERT INTO crouter.account (id, created_at) VALUES (%s, now())", (uuid4(),))
    after = extended(first, whole_policy({"data.account.fields.company": {**A_FIELD, "required": True}}))
    run(database, after.texts[-1])
    assert database.execute("SELECT count(*) FROM crouter.account").fetchone() == (1,)
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute("INSERT INTO crouter.account (id, created_at) VALUES (%s, now())", (uuid4(),))
    # Neither asking for a deletion nor carrying it out may fail for want of a personal field.
    database.execute("UPDATE crouter.account SET deletion_requested_at = now()")
    database.execute("UPDATE crouter.account SET company = NULL, erased_at = now()")


def test_a_value_that_rows_still_hold_cannot_be_taken_away(databases: Databases) -> None:
    database = databases()
    first = initial()
    run(database, first.texts[0])
    account = uuid4()
    database.execute("INSERT INTO crouter.account (id, created_at) VALUES (%s, now())", (account,))
    database.execute("INSERT INTO crouter.ledger (id, account_id, kind) VALUES (%s, %s, 'grant')", (uuid4(), account))
    narrowed = {"data.ledger.technical.kind.values": ["top_up", "charge", "refund", "carried"]}
    after = extended(first, whole_policy(narrowed))
    with pytest.raises(psycopg.errors.CheckViolation):
        run(database, after.texts[-1])
    assert database.execute("SELECT kind FROM crouter.ledger").fetchall() == [("grant",)]


@pytest.fixture
def people(databases: Databases) -> tuple[Database, list[str]]:
    """A database with two accounts, each with a key and an entry."""
    database = databases()
    run(database, initial().texts[0])
    accounts = [str(uuid4()), str(uuid4())]
    for number, account in enumerate(accounts):
        database.execute("INSERT INTO crouter.account (id, created_at) VALUES (%s, now())", (account,))
        database.execute(
            "INSERT INTO crouter.api_key (id, account_id, lookup, lookup_version, last_four, created_at, sealed) "
            "VALUES (%s, %s, %s, 1, 'abcd', now(), %s)",
            (uuid4(), account, bytes([number]) * 32, bytes(29)),
        )
        database.execute(
            "INSERT INTO crouter.ledger (id, account_id, kind, amount_nanousd) VALUES (%s, %s, 'grant', 5)",
            (uuid4(), account),
        )
    return database, accounts


@pytest.mark.claim("processor-supabase", by="row_level_security")
def test_a_person_sees_its_own_rows_only_and_nothing_sealed(people: tuple[Database, list[str]]) -> None:
    database, (first, _) = people
    database.execute("SET ROLE authenticated")
    assert database.execute("SELECT id FROM crouter.account").fetchall() == []
    database.execute("SELECT set_config('request.jwt.claims', %s, false)", (f'{{"sub": "{first}"}}',))
    assert [str(row[0]) for row in database.execute("SELECT id FROM crouter.account")] == [first]
    for table in ("api_key", "ledger"):
        rows = database.execute(sql.SQL("SELECT account_id FROM crouter.{}").format(sql.Identifier(table))).fetchall()
        assert [str(row[0]) for row in rows] == [first]
    for statement in (
        "SELECT sealed FROM crouter.api_key",
        "SELECT lookup FROM crouter.api_key",
        "SELECT * FROM crouter.retention_run",
        "UPDATE crouter.account SET name = 'x'",
        "DELETE FROM crouter.account",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(statement.encode())


@pytest.mark.claim("processor-supabase", by="row_level_security")
@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_others_see_nothing(people: tuple[Database, list[str]], role: str) -> None:
    database, _ = people
    database.execute(f"SET ROLE {role}".encode())
    for table in ("account", "usage", "api_key", "ledger", "retention_run"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(f"SELECT FROM crouter.{table}".encode())


def test_the_service_never_removes_and_never_changes_an_entry(people: tuple[Database, list[str]]) -> None:
    database, (first, _) = people
    database.execute("SET ROLE crouter_service")
    assert database.execute("SELECT count(*) FROM crouter.account").fetchone() == (2,)
    database.execute("UPDATE crouter.account SET name = 'x', deletion_requested_at = now() WHERE id = %s", (first,))
    database.execute("UPDATE crouter.api_key SET revoked_at = now()")
    for statement in (
        "DELETE FROM crouter.account",
        "UPDATE crouter.ledger SET amount_nanousd = 7",
        "DELETE FROM crouter.ledger",
        "UPDATE crouter.api_key SET account_id = NULL",
        "TRUNCATE crouter.usage",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(statement.encode())


def test_retention_removes_and_adds_only_sums_and_evidence(people: tuple[Database, list[str]]) -> None:
    database, (first, _) = people
    database.execute("SET ROLE crouter_retention")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.execute("DELETE FROM crouter.account")
    database.execute("DELETE FROM crouter.api_key")
    database.execute(
        "INSERT INTO crouter.ledger (id, account_id, kind, amount_nanousd) VALUES (%s, %s, 'carried', 5)",
        (uuid4(), first),
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("INSERT INTO crouter.account (id, created_at) VALUES (%s, now())", (uuid4(),))


@pytest.mark.claim("processor-supabase", by="row_level_security")
def test_row_level_security_is_enabled_and_forced_on_every_table(databases: Databases) -> None:
    database = databases()
    run(database, initial().texts[0])
    tables = {row for row in described(database) if row[0] == "table"}
    assert len(tables) == len(whole_policy().data)
    assert all(row[2:4] == ("true", "true") for row in tables)
