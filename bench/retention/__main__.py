"""`python -m bench.retention [--days N] [--rows N] [--charges N]`: fills partitions of the past, expires them, tells.

The database is durable (fsync on), as a production one is. Rows are made by PostgreSQL itself, spread over a thousand
accounts; expiry is the worker's own code. Left out: other load on the same database.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bench import machine
from bench.tables import table
from crouter.embedded import Cluster, PostgresBinaries
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.retention import Progress, RetentionOptions, run_retention
from generated.service import DEPLOYMENT

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = 1000
_ACCOUNTS = (
    "INSERT INTO account (id, created_at, email) SELECT gen_random_uuid(), now(), 'e' FROM generate_series(1, %s)"
)
_KEYS = """\
INSERT INTO api_key (id, account_id, lookup, lookup_version, last_four, created_at, sealed)
SELECT gen_random_uuid(), id, sha256(id::text::bytea), 1, 'abcd', now(), sha256('sealed') FROM account"""
_USAGE = """\
INSERT INTO usage (id, account_id, api_key_id, model, input_tokens, output_tokens, occurred_at)
SELECT gen_random_uuid(), accounts[1 + n %% {accounts}], ids[1 + n %% {accounts}], 'claude-sonnet-4-5', 100, 200,
       %(day)s::timestamptz + n * interval '1 day' / %(rows)s
FROM (SELECT array_agg(id), array_agg(account_id) FROM api_key) AS keys (ids, accounts),
     generate_series(0, %(rows)s - 1) AS n"""
_CHARGES = """\
INSERT INTO ledger (id, account_id, kind, amount_nanousd, occurred_at)
SELECT gen_random_uuid(), ids[1 + n %% {accounts}], 'charge', -n, %(end)s::timestamptz - n * interval '80 milliseconds'
FROM (SELECT array_agg(id) FROM account) AS all_of (ids), generate_series(1, %(charges)s) AS n"""


@dataclass
class Spent:
    """Seconds and megabytes of write-ahead log for one record."""

    rows: int = 0
    began: float = 0.0
    ended: float = 0.0


def main(arguments: list[str]) -> int:
    """Measures once and prints a table. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.retention", description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="partitions that are all past (%(default)s)")
    parser.add_argument("--rows", type=int, default=200_000, help="rows in each (%(default)s)")
    parser.add_argument("--charges", type=int, default=200_000, help="charges of that age (%(default)s)")
    asked = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="crouter-bench-") as folder,
        Cluster(Path(folder) / "pg", PostgresBinaries.embedded()).start() as server,
    ):
        dsn = server.ensure_database("bench")
        migrate(dsn, ROOT / "generated" / "database" / "migrations", Origin.of(DEPLOYMENT), plain_postgres=True)
        with psycopg.connect(dsn, autocommit=True) as connection:
            size = _fill(connection, asked.days, asked.rows, asked.charges)
            _say(f"{asked.days} partitions of {asked.rows} rows ({size}), {asked.charges} charges\n\n")
            _say(_measure(connection, dsn))
    return 0


def _fill(connection: psycopg.Connection[Any], days: int, rows: int, charges: int) -> str:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=366)
    connection.execute("SET search_path TO crouter; SET synchronous_commit TO off")
    connection.execute(_ACCOUNTS, (ACCOUNTS,))
    connection.execute(_KEYS)
    # References are checked row by row; what is made here has them right.
    connection.execute("SET session_replication_role TO replica")
    for number in range(days):
        day = end - timedelta(days=number + 1)
        connection.execute("SELECT partition_make('usage', interval '1 day', %s)", (day,))
        connection.execute(_USAGE.format(accounts=ACCOUNTS).encode(), {"day": day, "rows": rows})
        sys.stderr.write(f"\rfilled {number + 1} of {days}")
    sys.stderr.write("\n")
    connection.execute(_CHARGES.format(accounts=ACCOUNTS).encode(), {"end": end, "charges": charges})
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
    size = (
        "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits WHERE inhparent = %s::regclass"
    )
    return str(_value(connection, size, "crouter.usage"))


def _measure(connection: psycopg.Connection[Any], dsn: str) -> str:
    spent: dict[str, Spent] = {}
    began = last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        one = spent.setdefault(progress.record, Spent(began=last))
        one.rows, one.ended = progress.removed, time.monotonic()
        last = one.ended

    before = _log_bytes(connection)
    options = RetentionOptions(rule="usage", share_percent_max=100)
    (result,) = run_retention(dsn, DEPLOYMENT, options, told)
    took = time.monotonic() - began
    megabytes = (_log_bytes(connection) - before) / 1e6
    rows = [(name, str(one.rows), f"{one.ended - one.began:.1f}") for name, one in spent.items()]
    rows.append((f"whole run ({result.outcome})", str(result.removed), f"{took:.1f}"))
    facts = "".join(f"- {name}: {fact}\n" for name, fact in machine.facts().items())
    return f"{facts}\n{table(('record', 'rows', 'seconds'), rows)}\n\nwrite-ahead log: {megabytes:.0f} MB\n"


def _log_bytes(connection: psycopg.Connection[Any]) -> int:
    return int(_value(connection, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"))


def _value(connection: psycopg.Connection[Any], query: LiteralString, *values: Any) -> Any:
    (row,) = connection.execute(query, values or None).fetchall()
    return row[0]


def _say(text: str) -> None:
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
