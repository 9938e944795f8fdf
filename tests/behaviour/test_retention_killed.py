"""A run of retention that is killed in the middle: whole batches, right evidence, and the next run goes on."""

import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crouter.runtime.retention import RetentionOptions, run_retention
from tests.unit.runtime.retention.databases import ROOT, Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR_AGO = datetime(2025, 11, 1, 12, tzinfo=UTC)
PROGRAM = Path(__file__).parents[1] / "unit" / "runtime" / "retention" / "run_slowly.py"


def kill_after(database: TestDatabase, declared: Declared, rule: str, lines: int) -> None:
    """Start a run of `rule`, and kill it when it has said that many lines."""
    with subprocess.Popen(
        [sys.executable, PROGRAM, declared.folder, database.dsn, rule],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        for _ in range(lines):
            assert child.stdout.readline(), "the run ended by itself"
        child.kill()


@pytest.mark.claim("retain-usage")
def test_retain_usage__a_run_that_is_killed_again_and_again_ends_right(
    database: TestDatabase, declared: Declared
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    account = database.account()
    database.usage(account, database.api_key(account), *([YEAR_AGO] * 200), *([AS_OF] * 50))
    for _ in range(100):
        database.entry(account, "charge", -dice.randrange(10**12), YEAR_AGO - timedelta(minutes=dice.randrange(1000)))
    balance = database.balance(account)
    for _ in range(4):
        kill_after(database, declared, "usage", dice.randrange(1, 7))
        assert database.balance(account) == balance
    options = RetentionOptions(rule="usage", as_of=AS_OF)
    (result,) = run_retention(database.dsn, declared.deployment, options)
    assert result.outcome == "complete"
    assert database.count("usage") == 50
    assert database.execute("SELECT kind, amount_nanousd FROM ledger") == [("carried", balance)]
    runs = database.execute("SELECT outcome, finished_at IS NOT NULL FROM retention_run ORDER BY started_at")
    assert runs == [("failed", True)] * 4 + [("complete", True)]
    assert database.value("SELECT sum(removed)::int FROM retention_run") == 300


@pytest.mark.claim("retain-deleted")
def test_retain_deleted__an_erasure_that_is_killed_is_taken_up_again(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account(deletion_requested_at=AS_OF - timedelta(days=8), email="canary@example.org")
    database.usage(account, database.api_key(account), *([AS_OF] * 100))
    kill_after(database, declared, "deletion", 3)
    assert 0 < database.count("usage") < 100
    assert database.holding("canary") == ["crouter.account"]
    (result,) = run_retention(database.dsn, declared.deployment, RetentionOptions(rule="deletion", as_of=AS_OF))
    assert result.outcome == "complete"
    assert database.holding("canary") == []
    assert database.count("account") == 0
