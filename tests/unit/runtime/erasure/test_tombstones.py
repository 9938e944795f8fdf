"""The file of tombstones: what a line says, torn lines, several writers, other keys."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crouter.runtime.environment import KeyRing, VersionedKey
from crouter.runtime.erasure.progress import pause_after
from crouter.runtime.erasure.tombstones import HEADER, Tombstones, TombstonesUnusableError
from crouter.runtime.secret import Secret

MOMENT = datetime(2028, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
OLD, NEW = (VersionedKey(version, Secret(bytes([version]) * 32)) for version in (1, 2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tombstones"


@pytest.fixture
def tombstones(file: Path) -> Tombstones:
    made = Tombstones(file, KeyRing((OLD,)))
    made.begin()
    return made


def test_the_last_line_of_an_account_holds(tombstones: Tombstones) -> None:
    account, other = uuid.uuid4(), uuid.uuid4()
    tombstones.add(account, MOMENT)
    tombstones.add(other, MOMENT)
    tombstones.add(account, None)
    told = tombstones.read()
    assert told[tombstones.digest(account)].asked_at is None
    assert told[tombstones.digest(other)].asked_at == MOMENT


def test_a_line_names_nobody_and_nothing_is_ever_taken_away(tombstones: Tombstones, file: Path) -> None:
    account = uuid.uuid4()
    tombstones.add(account, MOMENT)
    before = file.read_bytes()
    tombstones.add(account, None)
    tombstones.begin()
    assert file.read_bytes().startswith(before)
    assert str(account).encode() not in before
    assert account.hex.encode() not in before
    assert account.bytes not in before
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(2, 110))
def test_a_line_that_was_torn_is_none_and_spoils_no_other(tombstones: Tombstones, file: Path, cut: int) -> None:
    first, second, third = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    tombstones.add(first, MOMENT)
    whole = file.stat().st_size
    tombstones.add(second, MOMENT)
    line = file.stat().st_size - whole
    file.write_bytes(file.read_bytes()[: -min(cut, line)])
    tombstones.add(third, MOMENT)
    assert {first, third} == {one for one in (first, second, third) if tombstones.digest(one) in tombstones.read()}


def test_lines_of_an_older_key_are_found(file: Path, tombstones: Tombstones) -> None:
    account = uuid.uuid4()
    tombstones.add(account, MOMENT)
    later = Tombstones(file, KeyRing((NEW, OLD)))
    assert set(later.digests(account)) & set(later.read())
    assert later.digest(account) not in later.read()


def test_writers_do_not_mix_their_lines(tombstones: Tombstones) -> None:
    accounts = [uuid.uuid4() for _ in range(40)]
    writers = [threading.Thread(target=tombstones.add, args=(account, MOMENT)) for account in accounts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(tombstones.read()) == {tombstones.digest(account) for account in accounts}


@pytest.mark.parametrize("content", [b"", b"something else\n", HEADER[:-1]])
def test_another_file_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(TombstonesUnusableError, match="no file of tombstones"):
        Tombstones(file, KeyRing((OLD,))).read()


def test_a_file_that_is_not_there_is_not_made_by_the_way(file: Path) -> None:
    tombstones = Tombstones(file, KeyRing((OLD,)))
    with pytest.raises(TombstonesUnusableError):
        tombstones.add(uuid.uuid4(), MOMENT)
    with pytest.raises(TombstonesUnusableError):
        tombstones.read()
    assert not file.exists()


def test_pauses_between_attempts_grow_and_end_at_six_hours() -> None:
    assert [pause_after(n) / timedelta(minutes=1) for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 360, 360]
