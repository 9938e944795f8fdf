"""`crouter run` ends cleanly, leaves nothing running, and goes on where the last run was, however that ended."""

import base64
import os
import random
import signal
import time

import pytest

from tests.commands.conftest import Project


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_with_0_and_the_next_run_has_the_same_key(
    used_project: Project, number: signal.Signals
) -> None:
    before = used_project.facts()["api_key"] if used_project.runs else None
    run = used_project.start().ready()
    assert run.stopped(number) == 0
    used_project.until_nothing_runs()
    assert "Traceback" not in run.output
    assert before in (None, used_project.facts()["api_key"])


def test_killed_at_once_nothing_is_left_and_the_data_is_there(used_project: Project) -> None:
    run = used_project.start().ready()
    made = used_project.crouter("accounts", "create", "--email", "grace@example.invalid")
    assert made.returncode == 0, made.stderr
    # The run alone, as `kill -9` does; its database has a group of its own.
    run.process.kill()
    run.process.wait()
    used_project.until_nothing_runs()
    again = used_project.start().ready()
    assert used_project.crouter("accounts", "create", "--email", "grace@example.invalid").returncode == 1
    assert again.stopped() == 0


def test_a_revoked_key_is_replaced(used_project: Project) -> None:
    first = used_project.start().ready()
    key = used_project.facts()["api_key"]
    listed = used_project.crouter("keys", "list", "developer@crouter.invalid", "--purpose", "a test").stdout
    active = next(line.split()[0] for line in listed.splitlines() if line.endswith("active"))
    assert used_project.crouter("keys", "revoke", active, "--purpose", "a test").returncode == 0
    assert first.stopped() == 0
    second = used_project.start().ready()
    assert used_project.facts()["api_key"] != key
    assert b"alive" in second.get("/healthz")
    assert second.stopped() == 0


def test_master_keys_are_rotated_while_it_runs_and_the_key_stays(used_project: Project) -> None:
    if not used_project.runs:
        used_project.start().ready().stopped()
    key, file = used_project.facts()["api_key"], used_project.folder / ".crouter" / "secrets"
    old = dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())
    new = {name: f"9:{base64.b64encode(os.urandom(32)).decode()}" for name in old}
    file.write_text("".join(f"{name}={new[name]},{old[name]}\n" for name in old), encoding="utf-8")
    both = used_project.start().ready()
    assert used_project.crouter("keys", "rotate-master", "--json").stdout != '{\n  "changed": 0\n}\n'
    assert used_project.crouter("keys", "rotate-master", "--json").stdout == '{\n  "changed": 0\n}\n'
    assert both.stopped() == 0
    file.write_text("".join(f"{name}={value}\n" for name, value in new.items()), encoding="utf-8")
    only_new = used_project.start().ready()
    assert used_project.facts()["api_key"] == key
    assert only_new.stopped() == 0


def test_lost_secrets_mean_a_new_key_and_nothing_worse(used_project: Project) -> None:
    if not used_project.runs:
        used_project.start().ready().stopped()
    key = used_project.facts()["api_key"]
    (used_project.folder / ".crouter" / "secrets").unlink()
    (used_project.folder / ".crouter" / "dev.json").unlink()
    run = used_project.start().ready()
    assert used_project.facts()["api_key"] != key
    assert run.stopped() == 0


def test_a_first_run_killed_anywhere_does_not_spoil_the_next(project: Project) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201  shown when the test fails
    chance = random.Random(seed)  # noqa: S311  moments, not secrets
    for _ in range(2):
        run = project.start().shows("Starting PostgreSQL")
        time.sleep(chance.uniform(0.0, 1.0))
        run.process.kill()
        run.process.wait()
        project.until_nothing_runs()
    assert project.start().ready().stopped() == 0


def test_ctrl_c_while_it_starts_ends_everything_without_a_traceback(project: Project) -> None:
    for seconds in (0.0, 0.3):
        run = project.start().shows("Starting PostgreSQL")
        time.sleep(seconds)
        assert run.stopped() == 0, run.output
        project.until_nothing_runs()
        assert "Traceback" not in run.output
    assert project.start().ready().stopped() == 0
