"""Whatever operation of the disk fails, a record that was taken is read again, and one that was not is told."""

import os
import random
import stat
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.folder import ProcessFolder
from crouter.runtime.journal.frames import BODY_BYTES_MAX, FRAME_BYTES_MAX
from crouter.runtime.journal.journal import Batch, Journal
from crouter.runtime.journal.noted import Noted
from crouter.runtime.journal.segment import HEAD_BYTES, ForeignSegmentError, read_unshipped
from tests.unit.runtime.journal.disks import FailingDisk

SEGMENT_BYTES = HEAD_BYTES + 4 * FRAME_BYTES_MAX
ACCOUNT = uuid.UUID(int=7)
NOW = datetime.now(UTC)


def journal_in(root: Path, disk: Disk | None = None, **more: bool) -> Journal:
    return Journal(root, uuid.uuid4(), disk, segment_bytes=SEGMENT_BYTES, **more)


def body(number: int) -> bytes:
    return f"{number:06}".encode() * 40


def read_all(journal: Journal) -> list[bytes]:
    found: list[bytes] = []
    while (batch := journal.next_batch(3)) is not None:
        found += bodies_of(batch)
        journal.shipped(batch)
    return found


def bodies_of(batch: Batch) -> list[bytes]:
    return [*batch.bodies, *[entry.body for entry in batch.entries]]


def known(number: int) -> Noted:
    """A record with its entry. Bodies are of different lengths."""
    return Noted(uuid.UUID(int=number), ACCOUNT, ACCOUNT, NOW, number, body(number)[: 100 + number % 50])


def left_behind(journal: Journal) -> list[bytes]:
    """What an adopter finds when this process is killed now."""
    return [found for path in journal.folder.segments() for found in read_unshipped(Disk(), path).bodies]


def test_records_are_read_in_order_across_segments_and_shipped_segments_go(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    written = [body(number) for number in range(200)]
    for record in written:
        assert journal.append(record)
        journal.keep()
    assert (journal.backlog_records, read_all(journal)) == (200, written)
    journal.keep()
    assert journal.backlog_records == 0
    assert len(journal.folder.segments()) == 2
    assert journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_behind_is_what_was_not_shipped(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    written = [body(number) for number in range(30)]
    for record in written:
        assert journal.append(record)
    batch = journal.next_batch(10)
    assert batch is not None
    journal.shipped(batch)
    assert left_behind(journal) == written[len(batch.bodies) :]


def test_what_is_shipped_soon_is_not_read_again(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, FailingDisk(1, 10**9, "read"))
    for start in range(0, 300, 10):
        entries = [known(number) for number in range(start, start + 10)]
        assert all(journal.append(entry.body, entry) for entry in entries)
        journal.keep()
        assert read_all(journal) == [entry.body for entry in entries]
    assert journal.backlog_records == 0


@pytest.mark.parametrize("seed", range(40))
def test_memory_and_disk_together_give_every_record_once_and_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  what it draws is no secret
    journal = Journal(
        tmp_path, uuid.uuid4(), segment_bytes=SEGMENT_BYTES, recent_records_max=chance.choice((0, 1, 5, 20))
    )
    written: list[bytes] = []
    shipped: list[bytes] = []
    for _ in range(300):
        entry = known(len(written))
        if journal.append(entry.body, entry if chance.random() < 0.9 else None):
            written.append(entry.body)
        if chance.random() < 0.3:
            journal.keep()
        if chance.random() < 0.2 and (batch := journal.next_batch(chance.randint(1, 8))) is not None:
            # Others go on while a batch is on its way.
            late = known(len(written))
            if chance.random() < 0.5 and journal.append(late.body, late):
                written.append(late.body)
            shipped += bodies_of(batch)
            journal.shipped(batch)
            assert shipped == written[: len(shipped)]
            assert left_behind(journal) == written[len(shipped) :]
        assert journal.backlog_records == len(written) - len(shipped)
    assert shipped + read_all(journal) == written
    journal.keep()
    assert journal.close()


def test_what_the_disk_does_not_give_back_is_shipped_from_memory(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    unread, entries = known(0), [known(number) for number in range(1, 4)]
    assert journal.append(unread.body)
    assert all(journal.append(entry.body, entry) for entry in entries)
    (path, *_) = journal.folder.segments()
    with path.open("r+b") as file:
        file.seek(HEAD_BYTES)
        file.write(bytes(4) + b"torn" * 100)
    lost = journal.next_batch(10)
    assert lost is not None
    assert (lost.lost, bodies_of(lost)) == (True, [])
    journal.shipped(lost)
    assert read_all(journal) == [entry.body for entry in entries]
    assert journal.backlog_records == 0


def test_space_is_set_aside_before_it_is_needed_and_told(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, FailingDisk(3, 10**9, "create"))
    taken = 0
    while journal.free_bytes >= FRAME_BYTES_MAX:
        assert journal.append(bytes(1) * BODY_BYTES_MAX)
        journal.keep()
        taken += 1
    assert taken == 8
    assert not journal.append(bytes(1) * BODY_BYTES_MAX)
    assert journal.keep().failures == ("create",)


def test_a_full_disk_takes_records_again_when_there_is_room(tmp_path: Path) -> None:
    disk = FailingDisk(3, 10**9, "create")
    journal = journal_in(tmp_path, disk)
    while journal.append(body(1)):
        pass
    disk.times = 0
    assert journal.keep().failures == ()
    assert journal.append(body(2))


@pytest.mark.parametrize("first", range(1, 60))
@pytest.mark.parametrize("times", [1, 3, 10**9])
def test_a_failure_at_any_operation_loses_no_record_that_was_taken(tmp_path: Path, first: int, times: int) -> None:
    disk = FailingDisk(first, times)
    try:
        journal = journal_in(tmp_path, disk)
    except OSError:
        assert first <= 4
        return
    taken: list[bytes] = []
    shipped: list[bytes] = []
    for number in range(40):
        # Some are kept in memory as well.
        entry = known(number) if number % 3 else None
        record = entry.body if entry is not None else body(number)
        if journal.append(record, entry):
            taken.append(record)
        if number % 5 == 0:
            journal.keep()
        if number % 7 == 0:
            try:
                batch = journal.next_batch(3)
            except OSError:
                continue
            if batch is not None:
                shipped += bodies_of(batch)
                journal.shipped(batch)
    # Killed here: shipped once more is no harm, lost is.
    assert set(taken) <= set(shipped) | set(left_behind(journal))


def test_with_sync_always_a_record_that_the_medium_refuses_is_not_taken(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, FailingDisk(1, 10**9, "sync"), sync_always=True)
    assert not journal.append(body(1))


def test_a_record_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert not journal_in(tmp_path).append(bytes(BODY_BYTES_MAX + 1))


def test_a_backlog_has_a_bound(tmp_path: Path) -> None:
    journal = Journal(tmp_path, uuid.uuid4(), segment_bytes=SEGMENT_BYTES, backlog_bytes_max=1000)
    while journal.has_room:
        assert journal.append(body(1))
    read_all(journal)
    assert journal.has_room


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    root = tmp_path / "journal"
    journal = journal_in(root)
    folders, files = (root, journal.folder.path), list(journal.folder.path.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_folder_is_adopted_by_one_and_not_while_its_process_lives(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    path = journal.folder.path
    assert ProcessFolder.adopt(Disk(), path) is None
    assert journal.append(body(1))
    journal.close()
    first = ProcessFolder.adopt(Disk(), path)
    assert first is not None
    assert ProcessFolder.adopt(Disk(), path) is None
    for segment in first.segments():
        segment.unlink()
    assert first.leave(remove=True)
    assert ProcessFolder.adopt(Disk(), path) is None


def test_what_a_process_left_that_died_while_it_began_is_removed_when_it_is_old(tmp_path: Path) -> None:
    for name, age in (("making-old", 7200), ("making-young", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
        moment = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (moment, moment))
    journal = journal_in(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"making-young", journal.folder.path.name}


def test_a_segment_of_another_form_is_left_alone(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    (path, *_) = journal.folder.segments()
    path.write_bytes(b"crouter9" + bytes(100))
    with pytest.raises(ForeignSegmentError):
        read_unshipped(Disk(), path)


def test_a_segment_of_the_form_before_is_read(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert journal.append(body(1))
    (path, *_) = journal.folder.segments()
    with path.open("r+b") as file:
        file.write(b"crouter1")
    assert read_unshipped(Disk(), path).bodies == (body(1),)
