"""The retention process as an operator meets it: its arguments, what it prints, its exit status, its worker."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crouter.embedded import RunningCluster
from crouter.runtime.retention.run import rules_of
from crouter.runtime.work import work
from tests.behaviour.service import environment
from tests.unit.runtime.retention.databases import ROOT, Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

AS_OF = "2026-11-01T12:00:00Z"
YEAR_AGO = datetime(2025, 11, 1, 12, tzinfo=UTC)
PROGRAM = Path(__file__).parents[1] / "unit" / "runtime" / "retention" / "retention_process.py"


class Program:
    """Starts the retention process on a database; what still runs at the end of a test is killed."""

    def __init__(self, declared: Declared) -> None:
        self._folder = declared.folder
        self._workers: list[subprocess.Popen[str]] = []

    def __call__(self, database: TestDatabase, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        worker = self.start(database, *arguments, **environ)
        out, err = worker.communicate(timeout=60)
        return subprocess.CompletedProcess(worker.args, worker.returncode, out, err)

    def start(self, database: TestDatabase, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        worker = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self._folder), *arguments],
            cwd=ROOT,
            # Of development, where a worker's jobs do without the processors that production has to name.
            env={"PYTHONPATH": str(ROOT), **environment(database.dsn, "http://127.0.0.1:1"), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._workers.append(worker)
        return worker

    def kill_all(self) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.kill()
                worker.communicate()


@pytest.fixture
def retention(declared: Declared) -> Iterator[Program]:
    program = Program(declared)
    yield program
    program.kill_all()


@pytest.fixture
def old_rows(database: TestDatabase) -> TestDatabase:
    account = database.account(email="canary@example.org")
    database.usage(account, database.api_key(account), *([YEAR_AGO - timedelta(hours=3)] * 3))
    return database


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rules(declared: Declared) -> list[str]:
    """The names of all rules, in the order in which they run."""
    return [rule.name for rule in rules_of(declared.deployment, None)]


def test_a_run_prints_a_line_for_each_rule_and_logs_declared_fields(
    retention: Program, declared: Declared, old_rows: TestDatabase
) -> None:
    done = retention(old_rows, "run", "--as-of", AS_OF)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: removed 3 row(s) in ")
    assert [(line["event"], line["rule"]) for line in lines(done.stderr)] == [
        ("run_complete", rule) for rule in rules(declared)
    ]
    assert set(lines(done.stderr)[0]) == {
        *("time", "level", "event", "rule", "as_of", "removed", "share_percent", "duration_ms")
    }
    assert "canary" not in done.stdout + done.stderr


def test_json_is_for_scripts(retention: Program, old_rows: TestDatabase) -> None:
    done = retention(old_rows, "run", "--as-of", AS_OF, "--json", "--rule", "usage", "--dry-run")
    (result,) = json.loads(done.stdout)
    assert (result["rule"], result["outcome"], result["expected"]) == ("usage", "dry_run", 3)
    assert result["as_of"] == "2026-11-01T12:00:00+00:00"
    assert old_rows.count("usage") == 3


def test_what_is_overdue_has_a_status_of_its_own(retention: Program, old_rows: TestDatabase) -> None:
    late = retention(old_rows, "check", "--as-of", AS_OF)
    assert (late.returncode, late.stdout) == (2, "usage: 3 row(s) should be gone from usage\n")
    retention(old_rows, "run", "--as-of", AS_OF)
    done = retention(old_rows, "check", "--as-of", AS_OF)
    assert (done.returncode, done.stdout) == (0, "nothing is overdue\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--as-of", "yesterday"), "--as-of"),
        (("run", "--as-of", "2026-01-01"), "time zone"),
        (("run", "--as-of", "2999-01-01T00:00:00Z"), "future"),
        (("run", "--allow-share", "0"), "1 to 100"),
        (("run", "--rule", "nothing"), "{rules}"),
        (("burn",), "burn"),
    ],
)
def test_a_mistake_on_the_command_line_is_a_sentence_and_status_1(
    retention: Program, declared: Declared, old_rows: TestDatabase, arguments: tuple[str, ...], said: str
) -> None:
    done = retention(old_rows, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said.format(rules=", ".join(rules(declared))) in done.stderr
    assert "Traceback" not in done.stderr
    assert old_rows.count("usage") == 3


def test_an_implausible_share_needs_a_word(retention: Program, database: TestDatabase) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), *([YEAR_AGO] * 1500))
    refused = retention(database, "run", "--as-of", AS_OF, "--rule", "usage")
    assert refused.returncode == 1
    assert "--allow-share 100" in refused.stdout
    assert retention(database, "run", "--as-of", AS_OF, "--rule", "usage", "--allow-share", "100").returncode == 0
    assert database.count("usage") == 0


def test_a_database_without_the_migrations_is_not_worked_on(retention: Program, empty_database: TestDatabase) -> None:
    done = retention(empty_database, "run")
    assert done.returncode == 1
    assert "crouter migrate" in done.stderr
    assert empty_database.tables() == {}


def test_an_address_that_cannot_be_reached_is_not_printed(retention: Program, database: TestDatabase) -> None:
    done = retention(database, "run", DATABASE_URL="postgresql://someone:hidden-word@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "hidden-word" not in done.stdout + done.stderr


def test_generated_files_of_another_policy_are_refused(
    declared: Declared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = work(declared.deployment, tmp_path, {"DATABASE_URL": "postgresql:///x"}, ["check"])
    assert status == 1
    assert "crouter generate" in capsys.readouterr().err


def wait_for_runs(database: TestDatabase, runs: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done = database.value("SELECT count(*) FROM retention_run WHERE outcome = 'complete'")
        if done >= runs:
            return
        time.sleep(0.1)
    raise AssertionError(f"{runs} runs were waited for in vain")


def test_two_workers_start_run_every_rule_and_end_when_told(retention: Program, database: TestDatabase) -> None:
    account = database.account()
    very_old = datetime(2020, 1, 1, tzinfo=UTC)
    database.usage(account, database.api_key(account), very_old)
    workers = [retention.start(database) for _ in range(2)]
    started = [worker.stdout.readline() for worker in workers if worker.stdout]
    wait_for_runs(database, 3)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    ends = [worker.communicate(timeout=30) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], ends
    assert [line["event"] for line in lines("".join(started))] == ["worker_started"] * 2
    assert [lines(out)[-1]["event"] for out, _ in ends] == ["worker_stopped"] * 2
    assert database.count("usage") == 0
    assert str(account) not in "".join(out + err for out, err in ends)


def test_a_worker_that_is_killed_leaves_nothing_that_stops_the_next(retention: Program, database: TestDatabase) -> None:
    worker = retention.start(database)
    wait_for_runs(database, 3)
    worker.kill()
    worker.communicate()
    # The first one may have done more than it was waited for.
    before = int(database.value("SELECT count(*) FROM retention_run WHERE outcome = 'complete'"))
    again = retention.start(database)
    wait_for_runs(database, before + 3)
    again.send_signal(signal.SIGTERM)
    out, err = again.communicate(timeout=30)
    assert again.returncode == 0, out + err


def test_a_worker_outlives_an_outage(retention: Program, database: TestDatabase, postgres: RunningCluster) -> None:
    worker = retention.start(database)
    wait_for_runs(database, 3)
    name = psycopg.conninfo.conninfo_to_dict(database.dsn)["dbname"]
    with psycopg.connect(postgres.dsn(), autocommit=True) as outside:
        let = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        outside.execute(let.format(sql.Identifier(str(name)), sql.Literal(False)))
        outside.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        time.sleep(8)
        outside.execute(let.format(sql.Identifier(str(name)), sql.Literal(True)))
    wait_for_runs(database, 1 + database.value("SELECT count(*) FROM retention_run WHERE outcome = 'complete'"))
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    events = [line["event"] for line in lines(out)]
    assert events.count("worker_started") == 2, "it came back"


def test_a_queue_of_another_version_is_refused_with_what_to_do(retention: Program, database: TestDatabase) -> None:
    database.execute("CREATE SCHEMA crouter_jobs")
    worker = retention.start(database)
    _, err = worker.communicate(timeout=30)
    assert worker.returncode == 1
    assert "DROP SCHEMA crouter_jobs" in err
