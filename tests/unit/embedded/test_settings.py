"""What the server's log may hold: nothing of any statement and nothing of any row."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from crouter.embedded import Cluster, PostgresBinaries, RunningCluster

# Each fails, or speaks, with a word of the customer in it: {word}.
STATEMENTS = {
    "unique": "insert into people values ('{word}'), ('{word}')",
    "check": "insert into people values ('bad {word}')",
    "too-long": "insert into people values ('{word}' || repeat('x', 80))",
    "syntax": "selct {word}",
    "unknown-column": 'select "{word}" from people',
    "wrong-type": "select cast('{word}' as integer)",
    "raise-log": "do $$ begin raise log 'about {word}'; end $$",
    "raise-warning": "do $$ begin raise warning 'about {word}'; end $$",
    "raise-error": "do $$ begin raise exception 'about {word}' using detail = '{word}'; end $$",
}

LOUD_SETTINGS = {
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    "log_error_verbosity": "default",
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "track_activities": "on",
}


@pytest.fixture(scope="module", params=["embedded", "debian_15"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    binaries = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("log")
    cluster = Cluster(folder / "pg", binaries, durable=False)
    with cluster.start() as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("create table people (name varchar(60) primary key check (name not like 'bad%'))")
    yield cluster
    shutil.rmtree(folder)


def test_a_failing_statement_leaves_nothing_in_the_log(cluster: Cluster) -> None:
    with cluster.start() as server:
        words = _speak(server.dsn())
        words["crash"] = _crash_a_session(server)
        assert _found(words, cluster) == set()


def test_the_same_check_finds_every_word_when_a_superuser_turns_the_log_up(cluster: Cluster) -> None:
    loud = " ".join(f"-c {name}={value}" for name, value in LOUD_SETTINGS.items())
    with cluster.start() as server:
        words = _speak(make_conninfo(server.dsn(), options=loud))
        assert _found(words, cluster) == {*STATEMENTS, "parameter"}


def test_settings_planted_in_the_data_folder_do_not_turn_the_log_up(cluster: Cluster) -> None:
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        with (cluster.data_dir / name).open("a") as settings:
            settings.writelines(f"{key} = '{value}'\n" for key, value in LOUD_SETTINGS.items())
            settings.write("session_preload_libraries = 'auto_explain'\n")
    with cluster.start() as server:
        words = _speak(server.dsn())
        words["crash"] = _crash_a_session(server)
        assert _found(words, cluster) == set()


def test_a_running_statement_cannot_be_read_by_other_sessions(
    shared_data_dir: Path, embedded: PostgresBinaries
) -> None:
    with (
        Cluster(shared_data_dir, embedded, durable=False).start() as server,
        psycopg.connect(server.dsn()) as speaker,
        psycopg.connect(server.dsn()) as reader,
    ):
        speaker.execute("select 'overheard'")
        rows = reader.execute("select query from pg_stat_activity").fetchall()
    assert rows
    assert not any("overheard" in (query or "") for (query,) in rows)


def test_the_log_is_closed_to_others_and_begins_empty_with_every_start(
    shared_data_dir: Path, embedded: PostgresBinaries
) -> None:
    log = shared_data_dir.with_name("pg.log")
    log.write_text("the log of an earlier start\n")
    log.chmod(0o644)
    with Cluster(shared_data_dir, embedded, durable=False).start():
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert "earlier start" not in log.read_text()


def _speak(conninfo: str) -> dict[str, str]:
    """Run every statement with a word of its own, and one with a parameter; returns the words."""
    words = {kind: _word() for kind in (*STATEMENTS, "parameter")}
    failed = 0
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for kind, statement in STATEMENTS.items():
            try:
                connection.execute(statement.format(word=words[kind]).encode())
            except psycopg.Error:
                failed += 1
        with pytest.raises(psycopg.Error):
            connection.execute("insert into people values ('bad ' || %s)", (words["parameter"],))
    assert failed == len(STATEMENTS) - len({"raise-log", "raise-warning"})
    return words


def _crash_a_session(server: RunningCluster) -> str:
    """Kill a session in the middle of a statement; returns the word that was in it."""
    word = _word()
    with psycopg.connect(server.dsn(), autocommit=True) as victim:
        victim.execute(f"select '{word}'".encode())
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            victim.execute(f"select '{word}'".encode())
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(server.dsn()).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not recover"
            time.sleep(0.05)
        else:
            return word


def _word() -> str:
    return f"canary_{uuid4().hex}"


def _found(words: dict[str, str], cluster: Cluster) -> set[str]:
    log = cluster.data_dir.with_name("pg.log").read_text()
    return {kind for kind, word in words.items() if word in log}
