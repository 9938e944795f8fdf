"""When `crouter run` cannot start it says why and what to do, and leaves everything as it was."""

import socket
import time

import psycopg
import pytest

from tests.commands.conftest import Project


def test_a_taken_port_is_told_and_nothing_is_left_running(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = project.crouter("run", "--port", port)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert "--port" in done.stderr
    assert "CROUTER_LISTEN" in done.stderr
    project.until_nothing_runs(1.0)


def test_an_address_that_others_can_reach_is_refused(project: Project) -> None:
    done = project.crouter("run", CROUTER_LISTEN="0.0.0.0:0")
    assert done.returncode == 1
    assert "this machine only" in done.stderr


def test_two_at_once_are_one_run_and_one_refusal(used_project: Project) -> None:
    first, second = used_project.start(), used_project.start()
    statuses: set[int | None] = {None}
    while statuses == {None}:
        statuses = {first.process.poll(), second.process.poll()}
        time.sleep(0.02)
    assert statuses == {None, 1}
    serving = first if first.process.poll() is None else second
    assert serving.ready().stopped() == 0


def test_an_edited_policy_is_refused_with_the_command_that_follows_it(project: Project) -> None:
    policy = project.folder / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("requests_per_minute: 50", "requests_per_minute: 40"), encoding="utf-8")
    done = project.crouter("run")
    assert done.returncode == 2
    assert "To mend it: crouter generate" in done.stdout
    assert not (project.folder / ".crouter").exists()


def test_a_policy_with_problems_is_refused_with_all_of_them(project: Project) -> None:
    policy = project.folder / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("P12M", "P12X").replace("language: 1", "language: 2"), encoding="utf-8")
    done = project.crouter("run")
    assert done.returncode == 1
    assert done.stderr.count("policy.yaml:") >= 2
    assert not (project.folder / ".crouter").exists()


def test_a_folder_without_a_policy_is_refused(project: Project) -> None:
    (project.folder / "policy.yaml").unlink()
    done = project.crouter("run")
    assert done.returncode == 1
    assert "PY-01" in done.stderr


def test_a_database_of_another_major_version_is_left_alone(project: Project) -> None:
    data = project.folder / ".crouter" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n", encoding="ascii")
    done = project.crouter("run", "--port", "0")
    assert done.returncode == 1
    assert "made by PostgreSQL 15" in done.stderr
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_database_of_another_contract_is_left_alone(project: Project) -> None:
    run = project.start().ready()
    with psycopg.connect(project.facts()["database_url"]) as connection:
        connection.execute("UPDATE crouter_migrations.applied SET contract = 99")
    assert run.stopped() == 0
    done = project.crouter("run", "--port", "0")
    assert done.returncode == 1
    assert "made for contract 99" in done.stderr
    project.until_nothing_runs(1.0)


@pytest.mark.parametrize(
    "arguments", [("keys", "list", "a@example.invalid", "--purpose", "a test"), ("migrate", "--status")]
)
def test_without_a_database_commands_say_how_to_get_one(project: Project, arguments: tuple[str, ...]) -> None:
    done = project.crouter(*arguments)
    assert done.returncode == 1
    assert "crouter run" in done.stderr
    assert "Traceback" not in done.stderr
