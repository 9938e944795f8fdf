import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import crouter
from crouter.embedded import (
    Cluster,
    ClusterError,
    ClusterInUseError,
    OtherMajorVersionError,
    PostgresBinaries,
    RunningCluster,
)
from crouter.embedded.identity import Identity

GONE_WITHIN_SECONDS = 5.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux tells a child of our death")


def test_a_first_start_makes_a_cluster_and_the_second_finds_its_data_at_the_same_address(
    tmp_path: Path, each_binaries: PostgresBinaries
) -> None:
    cluster = Cluster(tmp_path / "pg", each_binaries)
    with cluster.start() as server:
        address = server.dsn()
        shown = [_value(server, f"show {name}") for name in ("server_encoding", "timezone", "data_checksums")]
        assert shown == ["UTF8", "UTC", "on"]
        assert _value(server, "select current_setting('server_version_num')::int / 10000") == each_binaries.major
        assert _value(server, "select lower('ÄÖ') = 'äö' and 'Z' < 'a'") is True
        assert _value(server, "show fsync") == "on"
        _run(server, "create table kept (word text)", "insert into kept values ('here')")
    assert not server.running
    with cluster.start() as server:
        assert _value(server, "select word from kept") == "here"
        assert server.dsn() == address


def test_nobody_else_can_connect(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with _started(shared_data_dir, embedded) as server:
        assert _value(server, "show listen_addresses") == ""
        socket = shared_data_dir / ".s.PGSQL.5432"
        assert stat.S_ISSOCK(socket.stat().st_mode)
        assert [stat.S_IMODE(path.stat().st_mode) for path in (socket, socket.parent)] == [0o700, 0o700]


def test_the_server_sees_nothing_of_our_environment_and_leaves_no_core_file(
    shared_data_dir: Path, embedded: PostgresBinaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-key")
    monkeypatch.setenv("PGOPTIONS", "-c timezone=Asia/Tokyo")
    monkeypatch.setenv("PGPORT", "1")
    with _started(shared_data_dir, embedded) as server:
        process = Path("/proc") / str(server.pid)
        if not process.is_dir():
            pytest.skip("NOT TESTED: no /proc here")
        assert b"canary-key" not in (process / "environ").read_bytes()
        limits = (process / "limits").read_text()
        assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with _started(shared_data_dir, embedded) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_the_server_outlives_the_thread_that_called_start(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with ThreadPoolExecutor(1) as pool:
        server = pool.submit(_started, shared_data_dir, embedded).result()
    with server:
        time.sleep(0.3)
        assert server.running
        assert _value(server, "select 1") == 1


def test_stop_can_be_called_twice_and_ends_a_busy_session(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    server = _started(shared_data_dir, embedded)
    with psycopg.connect(server.dsn()) as busy, ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(busy.execute, "select pg_sleep(60)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            sleeping.result(timeout=10)
    server.stop()
    assert not _alive(server.pid)


@linux
@pytest.mark.parametrize("who", ["best", "nobody", "ordinary"])
def test_a_killed_parent_takes_the_server_along_and_the_data_survives(
    request: pytest.FixtureRequest, embedded: PostgresBinaries, open_folder: Path, who: str
) -> None:
    identity = None
    if who != "best":
        identity = request.getfixturevalue("nobody")
        assert isinstance(identity, Identity)
        os.chown(open_folder, identity.uid, identity.gid)
    data_dir = open_folder / "pg"
    with _parent(data_dir, who) as (parent, facts):
        with psycopg.connect(facts["dsn"], autocommit=True) as connection:
            connection.execute("create table kept (word text)")
            connection.execute("insert into kept values ('here')")
        parent.kill()
        parent.wait()
        _await_end(facts["pid"])
    with Cluster(data_dir, embedded, identity=identity).start() as server:
        assert _value(server, "select word from kept") == "here"


@linux
def test_a_start_right_after_a_killed_parent_waits_for_the_old_server(
    shared_data_dir: Path, embedded: PostgresBinaries
) -> None:
    with _parent(shared_data_dir, "best") as (parent, _):
        parent.kill()
        parent.wait()
        with _started(shared_data_dir, embedded) as server:
            assert _value(server, "select 1") == 1


def test_an_ordinary_users_files_stay_theirs(open_folder: Path, embedded: PostgresBinaries, nobody: Identity) -> None:
    os.chown(open_folder, nobody.uid, nobody.gid)
    with _parent(open_folder / "pg", "ordinary") as (_, facts):
        assert Path(f"/proc/{facts['pid']}").stat().st_uid == nobody.uid
    made = [open_folder / name for name in ("pg", "pg.log", "pg.lock", "pg/postmaster.opts")]
    assert {path.stat().st_uid for path in made} == {nobody.uid}


def test_a_dead_server_after_sigkill_is_recovered(tmp_path: Path, embedded: PostgresBinaries) -> None:
    with Cluster(tmp_path / "pg", embedded).start() as server:
        _run(server, "create table kept (word text)", "insert into kept values ('here')")
        os.kill(server.pid, signal.SIGKILL)
        _await_end(server.pid)
    assert (tmp_path / "pg" / "postmaster.pid").exists()
    time.sleep(0.2)  # its children notice the death of their parent on their own
    with Cluster(tmp_path / "pg", embedded).start() as server:
        assert _value(server, "select word from kept") == "here"


@linux
def test_a_stale_pid_that_now_belongs_to_another_program_does_not_block(
    shared_data_dir: Path, embedded: PostgresBinaries
) -> None:
    with _started(shared_data_dir, embedded) as server:
        pid_file = (shared_data_dir / "postmaster.pid").read_text()
        socket_lock = (shared_data_dir / ".s.PGSQL.5432.lock").read_text()
    with _unrelated_process() as other:
        for name, text in (("postmaster.pid", pid_file), (".s.PGSQL.5432.lock", socket_lock)):
            (shared_data_dir / name).write_text(text.replace(str(server.pid), str(other)))
        with _started(shared_data_dir, embedded) as server:
            assert _value(server, "select 1") == 1


def test_two_first_starts_at_once_give_one_server_and_one_refusal(tmp_path: Path, embedded: PostgresBinaries) -> None:
    together = threading.Barrier(2)

    def start() -> RunningCluster | ClusterInUseError:
        together.wait()
        try:
            return _started(tmp_path / "pg", embedded)
        except ClusterInUseError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(start) for _ in range(2))
        answers = [first.result(), second.result()]
    servers = [answer for answer in answers if isinstance(answer, RunningCluster)]
    assert len(servers) == 1
    with servers[0] as server:
        assert _value(server, "select 1") == 1


def test_a_server_of_another_process_is_not_disturbed(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with _parent(shared_data_dir, "best") as (_, facts):
        with pytest.raises(ClusterInUseError, match="another process"):
            _started(shared_data_dir, embedded)
        with psycopg.connect(facts["dsn"]) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_data_of_another_major_version_is_refused_and_untouched(
    tmp_path: Path, embedded: PostgresBinaries, debian_15: PostgresBinaries
) -> None:
    with _started(tmp_path / "pg", debian_15) as server:
        _run(server, "create table kept (word text)")
    before = _inventory(tmp_path)
    with pytest.raises(OtherMajorVersionError, match=r"made by PostgreSQL 15\b.*PostgreSQL 18\b") as refusal:
        _started(tmp_path / "pg", embedded)
    assert (refusal.value.made_by, refusal.value.binaries) == ("15", "18")
    assert _inventory(tmp_path) == before
    with _started(tmp_path / "pg", debian_15) as server:
        assert _value(server, "select count(*) from kept") == 0


def test_a_folder_that_holds_something_else_is_refused_and_untouched(
    tmp_path: Path, embedded: PostgresBinaries
) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "thesis.txt").write_text("years of work")
    before = _inventory(tmp_path)
    with pytest.raises(ClusterError, match="not a PostgreSQL data folder"):
        _started(tmp_path / "pg", embedded)
    assert _inventory(tmp_path) == before


def test_a_start_that_fails_tells_the_end_of_the_log_and_lets_go(tmp_path: Path, embedded: PostgresBinaries) -> None:
    with _started(tmp_path / "pg", embedded):
        pass
    settings = tmp_path / "pg" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(f"{good}\nmax_connections = many\n")
    with pytest.raises(ClusterError, match=r"(?s)ended while starting.*FATAL: .*postgresql\.conf"):
        _started(tmp_path / "pg", embedded)
    settings.write_text(good)
    with _started(tmp_path / "pg", embedded) as server:
        assert server.running


def test_a_server_that_is_not_ready_in_time_is_stopped(shared_data_dir: Path, embedded: PostgresBinaries) -> None:
    with pytest.raises(ClusterError, match="not ready after 0 s"):
        Cluster(shared_data_dir, embedded, durable=False, ready_seconds=0).start()
    assert not (shared_data_dir / "postmaster.pid").exists()


def test_a_folder_out_of_the_other_users_reach_is_named(
    tmp_path: Path, embedded: PostgresBinaries, nobody: Identity
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ClusterError, match="may not enter"):
        Cluster(closed / "pg", embedded, identity=nobody).start()
    assert list(closed.iterdir()) == []


def test_data_moves_between_the_two_ways_of_starting_as_root(
    open_folder: Path, embedded: PostgresBinaries, nobody: Identity
) -> None:
    data_dir = open_folder / "pg"
    with Cluster(data_dir, embedded).start() as server:
        _run(server, "create table kept (word text)")
        root_uid = Path(f"/proc/{server.pid}").stat().st_uid
    with Cluster(data_dir, embedded, identity=nobody).start() as server:
        assert _value(server, "select count(*) from kept") == 0
        assert Path(f"/proc/{server.pid}").stat().st_uid == data_dir.stat().st_uid == nobody.uid
    with Cluster(data_dir, embedded).start() as server:
        assert _value(server, "select count(*) from kept") == 0
        assert data_dir.stat().st_uid == root_uid


def test_an_interrupted_creation_is_begun_again(tmp_path: Path, embedded: PostgresBinaries) -> None:
    (tmp_path / "pg.new" / "base").mkdir(parents=True)
    (tmp_path / "pg.new" / "PG_VERSION").write_text("18\n")
    with _started(tmp_path / "pg", embedded) as server:
        assert _value(server, "select 1") == 1
    assert not (tmp_path / "pg.new").exists()


def _started(data_dir: Path, binaries: PostgresBinaries) -> RunningCluster:
    return Cluster(data_dir, binaries, durable=False).start()


def _run(server: RunningCluster, *statements: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _value(server: RunningCluster, query: str) -> Any:
    with psycopg.connect(server.dsn()) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def _parent(data_dir: Path, who: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Another Python process that runs a server on `data_dir`, and what it says about it."""
    script = Path(__file__).with_name("start_and_wait.py")
    root = Path(str(crouter.__file__)).parents[1]
    with subprocess.Popen(
        [sys.executable, str(script), str(data_dir), who],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)])},
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the parent process ended without a word"
            facts = json.loads(line)
            yield process, facts
        finally:
            process.kill()
            process.wait()
        _await_end(facts["pid"])


@contextmanager
def _unrelated_process() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A container without an init process keeps its orphans as zombies.
    return state != "Z"


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while _alive(pid):
        assert time.monotonic() < deadline, f"the server still runs after {GONE_WITHIN_SECONDS} s"
        time.sleep(0.02)


def _inventory(folder: Path) -> dict[str, tuple[int, int, int]]:
    facts = {str(path): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: (fact.st_size, fact.st_mtime_ns, fact.st_mode) for name, fact in facts.items()}
