"""What policy.yaml declares, and a database with short words for what tests do with it."""

import shutil
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.generate.history import History
from crouter.generate.manifest import MANIFEST, manifest_json
from crouter.generate.migrations import extend_history
from crouter.generate.templates import Templates
from crouter.plan.plan import Plan, make_plan
from crouter.policy.load import load_file
from crouter.runtime.database.migrations import Origin

ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True)
class Declared:
    """What policy.yaml declares, and a folder with the migrations for it."""

    deployment: Deployment
    migrations: Path
    folder: Path

    @property
    def origin(self) -> Origin:
        return Origin.of(self.deployment)


def declare_in(folder: Path) -> Declared:
    """Generate what is needed in `folder`, from policy.yaml as it is now: every process of a test has the same."""
    shutil.copyfile(ROOT / "policy.yaml", folder / "policy.yaml")
    plan = _plan(folder)
    files = dict(extend_history(plan, Templates(), History.empty()).files())
    files[MANIFEST] = manifest_json(plan.digest, files)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return declared_in(folder)


def declared_in(folder: Path) -> Declared:
    """What was generated in `folder`. It has no web pages: those are the service's."""
    deployment = _plan(folder).deployment
    pageless = replace(deployment, web=replace(deployment.web, documents=()))
    return Declared(pageless, folder / "database" / "migrations", folder)


def _plan(folder: Path) -> Plan:
    policy = load_file(folder / "policy.yaml").policy
    assert policy is not None
    return make_plan(policy)


class TestDatabase:
    """A database and short words for what tests do with it, as its superuser."""

    __test__ = False

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def execute(self, statement: LiteralString | sql.Composed, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET search_path TO crouter; SET TIME ZONE 'UTC'")
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: LiteralString | sql.Composed, *values: Any) -> Any:
        return self.execute(statement, *values)[0][0]

    def count(self, table: str) -> int:
        return int(self.value(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))))

    def account(self, *, deletion_requested_at: datetime | None = None, email: str = "", name: str = "") -> uuid.UUID:
        key = uuid.uuid4()
        self.execute(
            "INSERT INTO account (id, created_at, deletion_requested_at, email, name) VALUES (%s, now(), %s, %s, %s)",
            *(key, deletion_requested_at, email or f"{key}@example.org", name or "A Name"),
        )
        return key

    def api_key(self, account: uuid.UUID) -> uuid.UUID:
        key = uuid.uuid4()
        self.execute(
            "INSERT INTO api_key (id, account_id, lookup, lookup_version, last_four, created_at, sealed)"
            " VALUES (%s, %s, %s, 1, 'abcd', now(), %s)",
            *(key, account, key.bytes * 2, key.bytes * 3),
        )
        return key

    def usage(self, account: uuid.UUID, api_key: uuid.UUID, *times: datetime) -> None:
        """One request at each time."""
        self.execute(
            "INSERT INTO usage (id, account_id, api_key_id, model, input_tokens, output_tokens, cache_write_5m_tokens,"
            " cache_write_1h_tokens, cache_read_tokens, web_search_requests, occurred_at)"
            " SELECT gen_random_uuid(), %s, %s, 'claude', 1, 1, 0, 0, 0, 0, at FROM unnest(%s) AS at",
            *(account, api_key, list(times)),
        )

    def entry(self, account: uuid.UUID, kind: str, amount: int, at: datetime, times: int = 1) -> None:
        self.execute(
            "INSERT INTO ledger (id, account_id, kind, amount_nanousd, occurred_at)"
            " SELECT gen_random_uuid(), %s, %s, %s, %s FROM generate_series(1, %s)",
            *(account, kind, amount, at, times),
        )

    def balance(self, account: uuid.UUID) -> int:
        return int(self.value("SELECT coalesce(sum(amount_nanousd), 0) FROM ledger WHERE account_id = %s", account))

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table outside of the system's schemas, each as text."""
        names = self.execute(
            "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'p', 'm') AND NOT relispartition"
            " AND nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        rows = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1")
        return {
            f"{schema}.{table}": [row[0] for row in self.execute(rows.format(sql.Identifier(schema, table)))]
            for schema, table in names
        }

    def holding(self, text: str) -> list[str]:
        """The tables that hold `text` in any column of any row."""
        return sorted(table for table, rows in self.tables().items() if any(text in row for row in rows))
