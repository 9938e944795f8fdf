import os
from pathlib import Path

import pytest

from crouter.embedded import Cluster, ClusterInUseError, OtherMajorVersionError, PostgresBinaries
from crouter.embedded.folder import DataFolder


def test_any_other_major_version_is_refused_with_both_versions_and_what_to_do(
    tmp_path: Path, embedded: PostgresBinaries
) -> None:
    (tmp_path / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(OtherMajorVersionError) as refusal:
        DataFolder(tmp_path).require_major(embedded)
    message = str(refusal.value)
    assert all(part in message for part in ("PostgreSQL 9.6", "PostgreSQL 18", "Nothing was changed", "pg_dumpall"))


def test_a_missing_and_an_empty_folder_are_for_any_version(tmp_path: Path, embedded: PostgresBinaries) -> None:
    DataFolder(tmp_path).require_major(embedded)
    DataFolder(tmp_path / "absent").require_major(embedded)


def test_the_lock_admits_one_holder_and_is_free_again_afterwards(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "pg")
    with folder.locked(), pytest.raises(ClusterInUseError), folder.locked():
        pass
    with folder.locked():
        pass


def test_a_living_server_on_the_folder_is_waited_for_and_then_reported(
    shared_data_dir: Path, embedded: PostgresBinaries
) -> None:
    folder = DataFolder(shared_data_dir)
    with Cluster(folder.path, embedded, durable=False).start() as server:
        before = (folder.path / "postmaster.pid").read_text()
        with pytest.raises(ClusterInUseError, match=f"process {server.pid}"):
            folder.retire_dead_server(wait_seconds=0.1)
        assert (folder.path / "postmaster.pid").read_text() == before


def test_a_pid_of_another_program_is_taken_out_and_the_rest_of_the_file_kept(tmp_path: Path) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n/data\n123\n5432\n/data\n\n  5 6\nready   \n")
    DataFolder(tmp_path).retire_dead_server(wait_seconds=0)
    first, *rest = pid_file.read_text().splitlines()
    assert first == str(2**31 - 1)
    assert rest == ["/data", "123", "5432", "/data", "", "  5 6", "ready   "]


@pytest.mark.parametrize("left", ["", "garbage", "-5\n/data\n"])
def test_a_damaged_pid_file_is_left_for_postgresql_to_judge(tmp_path: Path, left: str) -> None:
    (tmp_path / "postmaster.pid").write_text(left)
    DataFolder(tmp_path).retire_dead_server(wait_seconds=0)
    assert (tmp_path / "postmaster.pid").read_text() == left


@pytest.mark.parametrize(
    ("status", "pid", "ready"),
    [("ready   ", 77, True), ("starting", 77, False), ("stopping", 77, False), ("ready   ", 78, False)],
)
def test_only_the_asked_process_saying_ready_is_ready(tmp_path: Path, status: str, pid: int, ready: bool) -> None:
    (tmp_path / "postmaster.pid").write_text(f"77\n/data\n123\n5432\n/data\n\n  5 6\n{status}\n")
    assert DataFolder(tmp_path).is_ready(pid) is ready
