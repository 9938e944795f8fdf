"""What Supabase Auth would keep against the policy is not written, in tables like its own, on a real PostgreSQL."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Json, Jsonb

from crouter.embedded import Cluster, PostgresBinaries
from crouter.generate.templates import Templates
from crouter.generate.views.supabase_auth import render
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.runtime.database.migrations import Origin, migrate
from tests.contract.supabase_auth.people import GoogleAccount

ROOT = Path(__file__).resolve().parents[3]
POLICY = (ROOT / "policy.yaml").read_text(encoding="utf-8")
TABLES = (ROOT / "tests" / "contract" / "supabase_auth" / "tables.sql").read_text(encoding="utf-8")
PICTURE = (
    "      picture: {label: picture, type: text, purposes: [authentication], "
    "data_category: user.contact, dpv: Picture}\n"
)

Row = dict[str, Any]


def written(text: str = POLICY) -> str:
    """The generated step of a policy."""
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    return render(make_plan(loaded.policy), Templates())["database/supabase_auth.sql"]


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("auth")
    with Cluster(folder / "data", PostgresBinaries.embedded(), durable=False).start() as server:
        yield server.ensure_database("auth")


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection[Row]]:
    """The tables, empty, and whatever a test does to them gone afterwards."""
    with psycopg.connect(dsn, row_factory=dict_row) as opened:
        opened.execute(TABLES)
        yield opened
        opened.rollback()


def run(connection: psycopg.Connection[Row], text: str) -> None:
    """Runs the step as the project's own role, which owns nothing of Supabase Auth."""
    connection.execute("SET LOCAL ROLE project")
    connection.execute(text)
    connection.execute("RESET ROLE")


def sign_in(connection: psycopg.Connection[Row], google: GoogleAccount) -> uuid.UUID:
    """What Supabase Auth writes when somebody signs in for the first time, as its own role."""
    user = uuid.uuid4()
    connection.execute("SET LOCAL ROLE supabase_auth_admin")
    told = Jsonb(google.metadata())
    connection.execute(
        "INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES (%s, %s, %s)", (user, google.email, told)
    )
    connection.execute(
        "INSERT INTO auth.identities (provider_id, user_id, identity_data, provider) VALUES (%s, %s, %s, 'google')",
        (google.sub, user, told),
    )
    connection.execute(
        "INSERT INTO auth.sessions (id, user_id, aal, user_agent, ip) VALUES (%s, %s, 'aal1', %s, %s)",
        (uuid.uuid4(), user, "browser-canary/1.0", "192.0.2.77"),
    )
    payload = {
        "action": "login",
        "actor_id": str(user),
        "actor_username": google.email,
        "actor_name": google.name,
        "actor_via_sso": False,
        "log_type": "account",
        "traits": {"provider": "google", "user_email": google.email},
    }
    connection.execute(
        "INSERT INTO auth.audit_log_entries (id, payload, ip_address) VALUES (%s, %s, %s)",
        (uuid.uuid4(), Json(payload), "192.0.2.77"),
    )
    connection.execute("RESET ROLE")
    return user


def everything(connection: psycopg.Connection[Row]) -> str:
    tables = ("users", "identities", "sessions", "audit_log_entries")
    rows = [connection.execute(f"SELECT * FROM auth.{table}").fetchall() for table in tables]  # noqa: S608
    return json.dumps(rows, default=str)


GOOGLE = GoogleAccount("sub-1", "grace@example.org", name="Grace Hopper")
UNDECLARED = (GOOGLE.picture, GOOGLE.locale, GOOGLE.phone, "192.0.2.77", "browser-canary")


@pytest.mark.claim("exclude-location", by="supabase_auth_step")
@pytest.mark.claim("collect-account", by="supabase_auth_step")
def test_exclude_location__supabase_auth_keeps_no_address_no_browser_and_nothing_undeclared(
    connection: psycopg.Connection[Row],
) -> None:
    run(connection, written())
    user = sign_in(connection, GOOGLE)
    kept = everything(connection)
    for canary in UNDECLARED:
        assert canary not in kept
    (identity,) = connection.execute("SELECT * FROM auth.identities").fetchall()
    assert identity["email"] == GOOGLE.email
    assert identity["identity_data"]["sub"] == GOOGLE.sub
    assert identity["identity_data"]["email_verified"] is True
    (entry,) = connection.execute("SELECT * FROM auth.audit_log_entries").fetchall()
    assert entry["payload"] == {
        "action": "login",
        "actor_id": str(user),
        "actor_via_sso": False,
        "log_type": "account",
    }
    assert entry["ip_address"] == ""


def test_without_the_step_the_same_sign_in_keeps_it_all(connection: psycopg.Connection[Row]) -> None:
    sign_in(connection, GOOGLE)
    kept = everything(connection)
    for canary in UNDECLARED:
        assert canary in kept


def test_what_was_kept_before_goes_and_the_step_may_run_again(connection: psycopg.Connection[Row]) -> None:
    sign_in(connection, GOOGLE)
    for _ in range(2):
        run(connection, written())
    kept = everything(connection)
    for canary in UNDECLARED:
        assert canary not in kept
    assert GOOGLE.email in kept


def test_later_changes_bring_nothing_back(connection: psycopg.Connection[Row]) -> None:
    run(connection, written())
    user = sign_in(connection, GOOGLE)
    connection.execute("SET LOCAL ROLE supabase_auth_admin")
    connection.execute(
        "UPDATE auth.sessions SET ip = '192.0.2.77', user_agent = 'browser-canary' WHERE user_id = %s", (user,)
    )
    connection.execute("UPDATE auth.users SET raw_user_meta_data = %s WHERE id = %s", (Jsonb(GOOGLE.metadata()), user))
    connection.execute("RESET ROLE")
    kept = everything(connection)
    for canary in UNDECLARED:
        assert canary not in kept


@pytest.mark.parametrize("odd", [None, [], "text", 7, {}])
def test_what_no_version_was_seen_to_write_stops_nobody_from_signing_in(
    connection: psycopg.Connection[Row], odd: Any
) -> None:
    run(connection, written())
    connection.execute("SET LOCAL ROLE supabase_auth_admin")
    user = uuid.uuid4()
    connection.execute("INSERT INTO auth.users (id, raw_user_meta_data) VALUES (%s, %s)", (user, Jsonb(odd)))
    connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (uuid.uuid4(),))
    entry = (uuid.uuid4(), Json(odd))
    connection.execute("INSERT INTO auth.audit_log_entries (id, payload) VALUES (%s, %s)", entry)
    connection.execute("INSERT INTO auth.audit_log_entries (id) VALUES (%s)", (uuid.uuid4(),))


def test_an_older_shape_of_the_tables_stops_nobody_either(connection: psycopg.Connection[Row]) -> None:
    connection.execute("ALTER TABLE auth.sessions DROP COLUMN ip, DROP COLUMN user_agent")
    connection.execute("ALTER TABLE auth.audit_log_entries DROP COLUMN ip_address")
    run(connection, written())
    connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (user := uuid.uuid4(),))
    connection.execute("INSERT INTO auth.sessions (id, user_id) VALUES (%s, %s)", (uuid.uuid4(), user))
    connection.execute("INSERT INTO auth.audit_log_entries (id, payload) VALUES (%s, '{}')", (uuid.uuid4(),))


def test_what_the_policy_declares_is_left() -> None:
    assert "'picture'" not in written()
    place = "    technical:\n      id: {type: uuid, key: true, why: names the account}"
    edited = POLICY.replace(place, PICTURE + place)
    assert "'avatar_url', " in written(edited)
    assert "'picture', " in written(edited)


def test_a_policy_without_supabase_has_no_such_step() -> None:
    text = (ROOT / "tests" / "cases" / "minimal" / "policy.yaml").read_text(encoding="utf-8")
    loaded = load(text)
    assert loaded.policy is not None
    assert render(make_plan(loaded.policy), Templates()) == {}


def test_a_migration_runs_the_step_where_supabase_auth_is_and_nowhere_else(dsn: str, tmp_path: Path) -> None:
    loaded = load(POLICY)
    assert loaded.policy is not None
    deployment = make_plan(loaded.policy).deployment
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "supabase_auth.sql").write_text(written(), encoding="utf-8")
    folder = tmp_path / "database" / "migrations"
    shutil.copytree(ROOT / "generated" / "database" / "migrations", folder)
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        migrate(dsn, folder, Origin.of(deployment), plain_postgres=True)
        assert connection.execute("SELECT to_regnamespace('crouter_auth')::text AS found").fetchone() == {"found": None}
        connection.execute(TABLES)
        sign_in_committed = sign_in(connection, GOOGLE)
        assert migrate(dsn, folder, Origin.of(deployment)) == ()
        kept = everything(connection)
    assert str(sign_in_committed) in kept
    for canary in UNDECLARED:
        assert canary not in kept
