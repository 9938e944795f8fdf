"""`crouter run`, as a newcomer uses it: what it prints works when it is pasted."""

import json
import os
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from crouter.runtime.compiled.use import fitting
from tests.commands.conftest import Project, Run


@pytest.fixture(scope="module")
def run(used_project: Project) -> Iterator[Run]:
    """A run that serves, for all tests of this module."""
    started = used_project.start().ready()
    yield started
    assert started.stopped() == 0, started.output


def paste(run: Run, line: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", line],
        cwd=run.project.folder,
        env=run.project.environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_screen_says_where_everything_is_and_that_no_model_is_called(run: Run) -> None:
    facts = run.project.facts()
    for shown in (facts["url"], facts["dashboard_url"], f"{run.url}/privacy", facts["api_key"], "$25.00"):
        assert shown in run.output
    assert "no model is called" in run.output
    assert ("Data path  compiled" if fitting() else "Data path  interpreted; ") in run.output
    assert "\x1b" not in run.output


def test_the_worker_runs_beside_the_service_and_writes_mails_to_files(run: Run) -> None:
    assert ".crouter/mail" in run.output
    mail = uuid.uuid4()
    with psycopg.connect(run.project.facts()["database_url"], autocommit=True) as connection:
        connection.execute(
            'INSERT INTO crouter.outbox (id, account_id, template, "values", created_at, state, attempts, next_at)'
            " SELECT %s, id, 'deletion_taken_back', '{}', now(), 'waiting', 0, now() FROM crouter.account LIMIT 1",
            (mail,),
        )
        connection.execute("SELECT pg_notify('crouter_jobs', 'mail')")
    written = run.project.folder / ".crouter" / "mail" / f"{mail}.eml"
    log = run.project.folder / ".crouter" / "worker.log"
    deadline = time.monotonic() + 60
    while not written.exists() or '"event":"mail_sent"' not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, "the worker has written no mail"
        time.sleep(0.05)
    assert b"Your account stays" in written.read_bytes()


def test_the_facts_are_complete_and_their_owners_only(run: Run) -> None:
    facts = run.project.facts()
    assert set(facts) >= {"url", "api_key", "dashboard_url", "database_url", "upstream", "pid"}
    assert (facts["url"], facts["pid"], facts["upstream"]) == (run.url, run.process.pid, "simulator")
    for name in ("dev.json", "secrets"):
        assert stat.S_IMODE((run.project.folder / ".crouter" / name).stat().st_mode) == 0o600


def test_the_printed_curl_is_answered(run: Run) -> None:
    done = paste(run, run.pasteable("curl -sS"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["type"] == "message"


def test_the_printed_streaming_curl_is_answered_by_events(run: Run) -> None:
    done = paste(run, run.pasteable("curl -N"))
    assert "event: message_start" in done.stdout
    assert "event: message_stop" in done.stdout


def test_the_printed_python_is_answered(run: Run, tmp_path: Path) -> None:
    lines = run.output.partition("# Python\n")[2].partition("\n\n")[0]
    script = tmp_path / "snippet.py"
    script.write_text(lines, encoding="utf-8")
    done = paste(run, f"{sys.executable} {script}")
    assert "simulated answer" in done.stdout, done.stderr


def test_the_printed_line_starts_claude_code(run: Run, tmp_path: Path) -> None:
    package = find_spec("claude_agent_sdk")
    assert package is not None
    assert package.origin is not None
    binary = Path(package.origin).parent / "_bundled" / "claude"
    (tmp_path / "claude").symlink_to(binary)
    line = f"{run.pasteable('ANTHROPIC_BASE_URL=')} -p 'Say hello'"
    path = f"{tmp_path}:{os.environ['PATH']}"
    # A key of Anthropic that the shell happens to have must not be sent along: two keys are refused.
    more = {"ANTHROPIC_API_KEY": "sk-ant-of-somebody", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    done = paste(run, line, PATH=path, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulated answer" in done.stdout


def test_the_dashboard_and_the_policy_are_served(run: Run) -> None:
    assert b"Sign in as the development account" in run.get("/dashboard")
    assert b"Privacy Policy" in run.get("/privacy")


def test_a_second_run_is_refused_and_names_the_first(run: Run) -> None:
    done = run.project.crouter("run", "--port", "0")
    assert done.returncode == 1
    assert run.url in done.stderr
    assert "Traceback" not in done.stderr
    assert run.get("/healthz") == b"alive\n"


def test_commands_of_operators_find_the_development_database(run: Run) -> None:
    status = run.project.crouter("migrate", "--status", "--json")
    assert (status.returncode, json.loads(status.stdout)["state"]) == (0, "in_step")
    assert run.project.crouter("retention", "run", "--dry-run").returncode == 0
    assert "--dry-run" in run.project.crouter("retention", "run", "--help").stdout


def test_accounts_and_keys_live_and_end(run: Run) -> None:
    """The whole life of a customer, as an operator sees it: account, credit, key, rotation, end."""
    crouter = run.project.crouter
    account = crouter("accounts", "create", "--email", "ada@example.invalid", "--name", "Ada").stdout.strip()
    granted = crouter("accounts", "credit", "ADA@example.invalid", "12.345678901", "--purpose", "a test", "--json")
    assert json.loads(granted.stdout)["balance_nanousd"] == 12_345_678_901
    made = crouter("keys", "create", account, "--purpose", "a test")
    first = made.stdout.strip()
    assert first.startswith("sk-cr-")
    assert first not in made.stderr
    assert can_use(run, first)
    refused = crouter("keys", "create", account, "--purpose", "a test")
    assert (refused.returncode, refused.stdout) == (1, "")
    third = json.loads(crouter("keys", "rotate", account, "--purpose", "a test", "--json").stdout)
    assert third["others_end_at"] is not None
    assert can_use(run, first)
    assert can_use(run, third["api_key"])
    assert crouter("keys", "rotate", account, "--grace-hours", "25", "--purpose", "a test").returncode == 1
    second = json.loads(
        crouter("keys", "rotate", account, "--grace-hours", "0", "--purpose", "a test", "--json").stdout
    )
    assert can_use(run, second["api_key"])
    assert not can_use(run, third["api_key"])
    assert crouter("keys", "name", second["id"], "laptop", "--purpose", "a test").returncode == 0
    assert crouter("keys", "limit", second["id"], "12.50", "--purpose", "a test").returncode == 0
    listed = crouter("keys", "list", account, "--purpose", "a test").stdout
    assert first not in listed
    line = next(line for line in listed.splitlines() if line.startswith(second["id"]))
    assert "laptop" in line
    assert "$12.50" in line
    assert crouter("keys", "revoke", second["id"], "--purpose", "a test").returncode == 0
    assert not can_use(run, second["api_key"])


def test_a_deletion_ends_the_keys_at_once_and_can_be_taken_back(run: Run) -> None:
    crouter = run.project.crouter
    account = crouter("accounts", "create", "--email", "leaving@example.invalid").stdout.strip()
    key = crouter("keys", "create", account, "--purpose", "a test").stdout.strip()
    assert can_use(run, key)
    asked = json.loads(crouter("accounts", "delete", account, "--purpose", "a test", "--json").stdout)[
        "deletion_requested_at"
    ]
    assert not can_use(run, key)
    # A second request does not start the clock again.
    assert (
        json.loads(crouter("accounts", "delete", account, "--purpose", "a test", "--json").stdout)[
            "deletion_requested_at"
        ]
        == asked
    )
    listed = {entry["account"]: entry for entry in json.loads(crouter("accounts", "list", "--json").stdout)}
    assert listed[account] == {
        "account": account,
        "balance_nanousd": 0,
        "created_at": listed[account]["created_at"],
        "deletion_requested_at": asked,
    }
    assert crouter("accounts", "restore", account, "--purpose", "a test").returncode == 0
    assert crouter("accounts", "restore", account, "--purpose", "a test").returncode == 1
    assert can_use(run, crouter("keys", "create", account, "--purpose", "a test").stdout.strip())


def test_nobody_is_credited_who_is_not_there(run: Run) -> None:
    refused = run.project.crouter(
        "accounts", "credit", "00000000-0000-0000-0000-000000000000", "1", "--purpose", "a test"
    )
    assert (refused.returncode, "no account has that id" in refused.stderr) == (1, True)


def can_use(run: Run, key: str) -> bool:
    line = f"curl -s -o /dev/null -w '%{{http_code}}' -H 'x-api-key: {key}' -H 'anthropic-version: 2023-06-01' "
    return paste(run, line + f"{run.url}/v1/models").stdout == "200"
