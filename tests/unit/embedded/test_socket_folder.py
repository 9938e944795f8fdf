import os
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from crouter.embedded import Cluster, ClusterError, PostgresBinaries
from crouter.embedded.folder import DataFolder
from crouter.embedded.identity import Identity, server_identity
from crouter.embedded.socket_folder import socket_folder, usable_in_address


@pytest.mark.parametrize(
    "name",
    ["d" * 120, "with,comma", 'with space\'s "quotes" & 100% #?ü'],
    ids=["deep", "comma", "marks"],
)
def test_a_server_can_be_reached_whatever_its_folder_is_called(
    open_folder: Path, shared_data_dir: Path, embedded: PostgresBinaries, name: str
) -> None:
    place = open_folder / name
    shared_data_dir.rename(place)
    try:
        with Cluster(place, embedded, durable=False).start() as server:
            with psycopg.connect(server.dsn()) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
            psql = [str(embedded.path("psql")), server.dsn(), "--no-psqlrc", "-Atc", "select 1"]
            assert subprocess.run(psql, capture_output=True, check=True).stdout == b"1\n"
    finally:
        place.rename(shared_data_dir)


def test_the_address_may_take_107_bytes_and_not_one_more() -> None:
    room = 107 - len("/.s.PGSQL.5432")
    longest = "/" + "d" * (room - 1)
    assert usable_in_address(Path(longest))
    assert not usable_in_address(Path(longest + "d"))
    assert not usable_in_address(Path("/" + "ü" * room))


def test_a_temporary_folder_is_private_and_removed_at_the_end(open_folder: Path, temporary: Path) -> None:
    data = DataFolder(open_folder / ("d" * 120))
    with data.locked() as lock, socket_folder(data.path, server_identity(), lock) as chosen:
        assert list(temporary.iterdir()) == [chosen]
        assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
    assert list(temporary.iterdir()) == []


def test_it_belongs_to_the_user_the_server_runs_as(open_folder: Path, temporary: Path, nobody: Identity) -> None:
    data = DataFolder(open_folder / ("d" * 120))
    with data.locked() as lock, socket_folder(data.path, nobody, lock) as chosen:
        assert (chosen.parent, chosen.stat().st_uid) == (temporary, nobody.uid)


def test_what_a_killed_process_left_behind_is_removed_by_the_next_start(open_folder: Path, temporary: Path) -> None:
    data = DataFolder(open_folder / ("d" * 120))
    identity = server_identity()
    child = os.fork()
    if child == 0:
        with data.locked() as lock, socket_folder(data.path, identity, lock):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left_behind,) = temporary.iterdir()
    with data.locked() as lock, socket_folder(data.path, identity, lock):
        assert not left_behind.exists()


def test_a_note_that_names_another_folder_removes_nothing(open_folder: Path) -> None:
    data = DataFolder(open_folder / "pg")
    precious = open_folder / "precious"
    precious.mkdir()
    (open_folder / "pg.lock").write_text(str(precious))
    with data.locked() as lock, socket_folder(data.path, server_identity(), lock) as chosen:
        assert chosen == data.path
    assert precious.is_dir()


def test_two_paths_that_are_both_too_long_are_refused(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = open_folder / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    data = DataFolder(open_folder / ("e" * 120))
    with (
        data.locked() as lock,
        pytest.raises(ClusterError, match="too long for a Unix socket"),
        socket_folder(data.path, server_identity(), lock),
    ):
        pass
    assert list(deep.iterdir()) == []


@pytest.fixture
def temporary(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder for this test alone."""
    folder = open_folder / "t"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
