import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crouter.runtime.database.errors import DatabaseAwayError
from crouter.runtime.environment import KeyRing, VersionedKey
from crouter.runtime.key_lookup import (
    ASK_AGAIN_SECONDS,
    AWAY_SECONDS,
    FRESH_SECONDS,
    LISTENING_SECONDS,
    NEGATIVE_SECONDS,
    Caller,
    KeyLookup,
)
from crouter.runtime.proxy.authentication import ApiKey, ApiKeyFormat
from crouter.runtime.sealing import KeyedHash, KeyedHasher
from crouter.runtime.secret import Secret

HASHER = KeyedHasher(KeyRing((VersionedKey(1, Secret(b"k" * 32)),)))
KEY, OTHER = (ApiKeyFormat().key(bytes([number]) * 32) for number in (1, 2))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Table:
    """A key source that a test fills, counts and breaks."""

    def __init__(self) -> None:
        self.callers: dict[bytes, Caller] = {}
        self.asked = 0
        self.away = False
        self.meanwhile: Callable[[], None] = lambda: None

    def add(self, key: ApiKey, ends_at: datetime | None = None) -> Caller:
        caller = Caller(uuid.uuid4(), uuid.uuid4(), ends_at)
        self.callers[HASHER.newest(key.reveal()).digest] = caller
        return caller

    async def find(self, hashes: tuple[KeyedHash, ...]) -> Caller | None:
        self.asked += 1
        if self.away:
            raise DatabaseAwayError
        found = self.callers.get(hashes[0].digest)
        self.meanwhile()
        return found


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def made(entries_max: int = 100) -> tuple[KeyLookup, Table, Clock]:
    table, clock = Table(), Clock()
    lookup = KeyLookup(
        table,
        HASHER,
        now=lambda: NOON + timedelta(seconds=clock.seconds - 1000),
        clock=clock,
        entries_max=entries_max,
    )
    return lookup, table, clock


async def test_text_that_cannot_be_a_key_never_reaches_the_database() -> None:
    lookup, table, _ = made()
    assert await lookup.caller(ApiKey("sk-cr-'; DROP TABLE api_key; --")) is None
    assert table.asked == 0


@pytest.mark.parametrize(("listening", "bound"), [(False, FRESH_SECONDS), (True, LISTENING_SECONDS)])
async def test_a_known_key_is_asked_for_again_after_its_bound(listening: bool, bound: float) -> None:
    lookup, table, clock = made()
    lookup.listening = listening
    caller = table.add(KEY)
    assert await lookup.caller(KEY) == caller
    clock.seconds += bound - 0.1
    assert await lookup.caller(KEY) == caller
    assert table.asked == 1
    table.callers.clear()
    clock.seconds += 0.1
    assert await lookup.caller(KEY) is None


async def test_a_change_that_is_told_takes_effect_at_once() -> None:
    lookup, table, _ = made()
    lookup.listening = True
    caller = table.add(KEY)
    await lookup.caller(KEY)
    table.callers.clear()
    lookup.forget(str(caller.key))
    assert await lookup.caller(KEY) is None


async def test_an_unknown_key_is_remembered_briefly_and_found_as_soon_as_one_is_made() -> None:
    lookup, table, clock = made()
    assert await lookup.caller(KEY) is None
    assert await lookup.caller(KEY) is None
    assert table.asked == 1
    caller = table.add(KEY)
    lookup.forget(str(caller.key))
    assert await lookup.caller(KEY) == caller
    assert await lookup.caller(OTHER) is None
    clock.seconds += NEGATIVE_SECONDS
    await lookup.caller(OTHER)
    assert table.asked == 4


async def test_while_the_database_is_away_a_known_key_lives_on_for_a_bound_and_then_is_unknowable() -> None:
    lookup, table, clock = made()
    caller = table.add(KEY)
    await lookup.caller(KEY)
    table.away = True
    clock.seconds += FRESH_SECONDS
    assert await lookup.caller(KEY) == caller
    asked = table.asked
    clock.seconds += ASK_AGAIN_SECONDS / 2
    assert await lookup.caller(KEY) == caller
    assert table.asked == asked, "not every request waits for a database that is away"
    with pytest.raises(DatabaseAwayError):
        await lookup.caller(OTHER)
    clock.seconds += AWAY_SECONDS
    with pytest.raises(DatabaseAwayError):
        await lookup.caller(KEY)


async def test_after_a_gap_in_the_notifications_every_key_is_confirmed_again() -> None:
    lookup, table, _ = made()
    lookup.listening = True
    table.add(KEY)
    await lookup.caller(KEY)
    table.callers.clear()
    lookup.distrust()
    assert await lookup.caller(KEY) is None


async def test_an_answer_overtaken_by_a_change_is_not_trusted() -> None:
    lookup, table, _ = made()
    lookup.listening = True
    caller = table.add(KEY)
    table.meanwhile = lambda: lookup.forget(str(caller.key))
    await lookup.caller(KEY)
    table.callers.clear()
    assert await lookup.caller(KEY) is None


async def test_a_key_in_its_grace_ends_on_time_without_being_asked_for() -> None:
    lookup, table, clock = made()
    lookup.listening = True
    table.add(KEY, ends_at=NOON + timedelta(seconds=5))
    assert await lookup.caller(KEY) is not None
    clock.seconds += 5
    assert await lookup.caller(KEY) is None


async def test_the_cache_is_bounded() -> None:
    lookup, table, _ = made(entries_max=2)
    for number in range(10):
        await lookup.caller(ApiKeyFormat().key(bytes([number]) * 32))
    await lookup.caller(ApiKeyFormat().key(bytes([0]) * 32))
    assert table.asked == 11
