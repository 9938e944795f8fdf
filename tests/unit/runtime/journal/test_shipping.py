"""One record that the database refuses does not stop the others, and a database that is away loses none."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crouter.runtime.charging import tallied
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError, DatabaseRefusedError
from crouter.runtime.journal.adoption import Adopted, Adopter
from crouter.runtime.journal.entry import FORM, Entry, UnreadableEntryError, entry_bytes, read_entry
from crouter.runtime.journal.journal import Journal
from crouter.runtime.journal.noted import Noted
from crouter.runtime.journal.quarantine import quarantined
from crouter.runtime.journal.shipping import Shipper
from crouter.runtime.usage import Shipped

ACCOUNT = uuid.UUID(int=7)


def entry(number: int, account: uuid.UUID = ACCOUNT, form: int = FORM) -> Entry:
    return Entry(
        id=uuid.UUID(int=number),
        account=account,
        api_key=uuid.UUID(int=8),
        occurred_at=datetime(2026, 11, 23, 12, 0, 0, number, tzinfo=UTC),
        model="claude-haiku-4-5",
        input_tokens=number,
        outcome="complete",
        cost_nanousd=number,
        price_version="2026-11-23",
        policy_digest="0" * 64,
        form=form,
    )


@dataclass
class Store:
    """Takes entries as the database would: refuses some, and drops those of an erased account."""

    refused: set[uuid.UUID] = field(default_factory=set)
    error: DatabaseError | None = None
    erased: uuid.UUID | None = None
    rows: list[uuid.UUID] = field(default_factory=list)

    async def write(self, process: uuid.UUID, entries: Sequence[Noted]) -> Shipped:
        if self.error is not None:
            raise self.error
        if any(one.id in self.refused for one in entries):
            raise DatabaseRefusedError("23514")
        self.rows += [one.id for one in entries if one.id not in self.rows]
        written = tallied([one for one in entries if one.account != self.erased])
        return Shipped(tuple(written), tuple(tallied([one for one in entries if one.account == self.erased])))


def test_an_entry_comes_back_as_it_went_with_every_microsecond() -> None:
    one = entry(999_999)
    assert read_entry(entry_bytes(one)) == one


@pytest.mark.parametrize("body", [b"", b"\x00", b"no entry", entry_bytes(entry(1, form=FORM + 1))])
def test_what_is_no_entry_of_this_form_is_not_guessed_at(body: bytes) -> None:
    with pytest.raises(UnreadableEntryError):
        read_entry(body)


async def test_refused_records_are_set_aside_and_all_others_are_written(tmp_path: Path) -> None:
    store = Store(refused={uuid.UUID(int=number) for number in (3, 4, 17)})
    bodies = [entry_bytes(entry(number)) for number in range(1, 31)]
    outcome = await Shipper(store.write, tmp_path).ship(uuid.uuid4(), [*bodies, b"garbage"])
    assert sorted(one.int for one in store.rows) == [n for n in range(1, 31) if n not in (3, 4, 17)]
    assert (outcome.written, outcome.quarantined) == (27, 4)
    assert set(quarantined(tmp_path)) == {b"garbage", *(bodies[number - 1] for number in (3, 4, 17))}
    assert outcome.uncharged == {ACCOUNT: 3 + 4 + 17}
    assert outcome.charged == {ACCOUNT: sum(range(1, 31)) - 24}


async def test_late_usage_of_an_erased_account_is_dropped_and_counted(tmp_path: Path) -> None:
    store = Store(erased=ACCOUNT)
    outcome = await Shipper(store.write, tmp_path).ship(uuid.uuid4(), [entry_bytes(entry(1))])
    assert (outcome.dropped, outcome.written, quarantined(tmp_path)) == (1, 0, ())


@pytest.mark.parametrize(
    "error", [DatabaseAwayError("57P01"), DatabaseRefusedError("42501"), DatabaseRefusedError("42P01")]
)
async def test_what_is_not_about_a_record_sets_none_aside(tmp_path: Path, error: DatabaseError) -> None:
    with pytest.raises(type(error)):
        await Shipper(Store(error=error).write, tmp_path).ship(uuid.uuid4(), [entry_bytes(entry(1))])
    assert quarantined(tmp_path) == ()


async def test_a_dead_processs_journal_is_adopted_once_however_many_try(tmp_path: Path) -> None:
    store, dead = Store(), uuid.uuid4()
    journal = Journal(tmp_path, dead)
    for number in range(1, 100):
        assert journal.append(entry_bytes(entry(number)))
    living = Journal(tmp_path, uuid.uuid4())
    assert living.append(entry_bytes(entry(500)))
    ended: list[uuid.UUID] = []

    async def end_leases(process: uuid.UUID) -> None:
        assert len(store.rows) == 99
        ended.append(process)

    def adopter() -> Adopter:
        return Adopter(tmp_path, uuid.uuid4(), Shipper(store.write, tmp_path), end_leases)

    # As the kernel does when a process is killed.
    journal.close()
    counts = [Adopted() for _ in range(3)]
    await asyncio.gather(*(adopter().adopt(adopted) for adopted in counts))
    assert sum(adopted.processes for adopted in counts) == 1
    assert sum(adopted.written for adopted in counts) == 99
    assert ended == [dead]
    assert names(tmp_path) == [str(living.folder.process)]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_adoption_that_is_broken_off_is_gone_on_with_and_nothing_is_lost(tmp_path: Path) -> None:
    store = Store(error=DatabaseAwayError())
    journal = Journal(tmp_path, uuid.uuid4())
    for number in range(1, 10):
        assert journal.append(entry_bytes(entry(number)))
    journal.close()

    async def end_leases(process: uuid.UUID) -> None:
        return

    adopter = Adopter(tmp_path, uuid.uuid4(), Shipper(store.write, tmp_path), end_leases)
    with pytest.raises(DatabaseAwayError):
        await adopter.adopt(Adopted())
    store.error = None
    await adopter.adopt(Adopted())
    assert len(store.rows) == 9
