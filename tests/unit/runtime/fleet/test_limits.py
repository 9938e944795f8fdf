"""Limits through Redis admit what the limits of one process admit, in however many nodes."""

import asyncio
import io
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from crouter.contract.traffic import Limits
from crouter.runtime.fleet import store as fleet_store
from crouter.runtime.fleet.limits import FleetLimits
from crouter.runtime.fleet.settings import FleetSettings
from crouter.runtime.fleet.store import LIFETIME_SECONDS, FleetStore
from crouter.runtime.limits import Pass, RateLimits, Reached
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.secret import Secret
from tests.behaviour.service import until
from tests.unit.runtime.declarations import SERVICE_LOG
from tests.unit.runtime.fleet.redis_server import RedisServer, redis_server

SECRET = b"s" * 32


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is slow, and not away: a server that is stopped refuses at once."""
    monkeypatch.setattr(fleet_store, "TIMEOUT_SECONDS", 5.0)


@asynccontextmanager
async def node(
    server: RedisServer, limits: Limits, clock: Callable[[], float] | None, *, may_be_away: bool = False
) -> AsyncIterator[FleetLimits]:
    store = FleetStore(FleetSettings(Secret(server.url)), uuid.uuid4().hex, SECRET, clock)
    found = FleetLimits(limits, store, Log(SERVICE_LOG, io.StringIO()), Metrics(()), clock or time.monotonic)
    try:
        async with found.running():
            await asyncio.sleep(0.1)  # until it listens
            yield found
            assert may_be_away or not found.is_away
    finally:
        await found.close()


async def asked(limits: FleetLimits, key: object) -> Pass | Reached:
    return limits.admit(key) or await limits.admitted(key)


async def tell(nodes: Sequence[FleetLimits]) -> None:
    """What a node has not told yet, nobody else can know; it is told after a moment, and from time to time."""
    for one in nodes:
        await one.renew()


@pytest.mark.claim("use-usage")
@pytest.mark.parametrize("seed", range(2))
async def test_three_nodes_decide_like_one_process(server: RedisServer, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    clock, keys = Clock(), (uuid.uuid4(), uuid.uuid4())
    declared = Limits(7, 19, 30, 100, 40, 4)
    alone = RateLimits(declared, clock)
    held: dict[int, list[tuple[Pass, Pass]]] = {}
    async with (
        node(server, declared, clock) as a,
        node(server, declared, clock) as b,
        node(server, declared, clock) as c,
    ):
        nodes = (a, b, c)
        admitted = 0
        for number in range(100):
            jump = dice.choice([0, 0, 0, 0.3, 2, 20, 70, dice.choice([1, 4000])])
            # Nobody is silent for longer than a share lives while it has something under way.
            over = [*held] if jump > 70 else [number] if number in held else []
            for passes in (pair for one in over for pair in held.pop(one)):
                tokens = dice.randrange(60)
                for passed in passes:
                    passed.used(tokens, tokens // 3)
                    passed.close()
            await tell(nodes)
            while jump > 0:
                clock.seconds += jump if jump > 70 else min(jump, 20)
                jump -= jump if jump > 70 else 20
                await tell(nodes)
            key = dice.choice(keys)
            ours, theirs = await asked(dice.choice(nodes), key), alone.admit(key)
            if isinstance(theirs, Reached):
                assert isinstance(ours, Reached), (seed, number, clock.seconds, theirs)
                assert ours.limit == theirs.limit, (seed, number)
            else:
                assert not isinstance(ours, Reached), (seed, number)
                held.setdefault(number + dice.randint(1, 12), []).append((ours, theirs))
                admitted += 1
        assert 20 < admitted < 100


@pytest.mark.claim("use-usage")
async def test_hundreds_at_once_in_two_nodes_admit_exactly_the_limit(server: RedisServer) -> None:
    declared, key = Limits(50, 1000, 10_000), uuid.uuid4()
    async with node(server, declared, None) as a, node(server, declared, None) as b:
        found = await asyncio.gather(*(asked(one, key) for one in (a, b) * 150))
    assert sum(not isinstance(one, Reached) for one in found) == 50


async def test_the_ordinary_request_asks_nobody(server: RedisServer) -> None:
    declared, key = Limits(600, 10_000, 100_000, concurrent_requests=40), uuid.uuid4()
    async with node(server, declared, None) as limits:
        asked_for = 0
        for _ in range(80):
            found = limits.admit(key)
            if found is None:
                asked_for += 1
                found = await limits.admitted(key)
            assert not isinstance(found, Reached)
            found.close()
            await asyncio.sleep(0.002)
        assert asked_for < 10


async def test_a_node_that_dies_gives_back_what_it_held(server: RedisServer) -> None:
    clock, key = Clock(), uuid.uuid4()
    declared = Limits(6, 1000, 10_000, concurrent_requests=2)
    dead = FleetStore(FleetSettings(Secret(server.url)), "dead", SECRET, clock)
    died = FleetLimits(declared, dead, Log(SERVICE_LOG, io.StringIO()), Metrics(()), clock)
    held = [await asked(died, key) for _ in range(2)]
    assert not any(isinstance(one, Reached) for one in held)
    async with node(server, declared, clock) as alive:
        assert isinstance(await asked(alive, key), Reached)
        clock.seconds += LIFETIME_SECONDS + 1
        for _ in range(2):
            found = await asked(alive, key)
            assert not isinstance(found, Reached)
            held.append(found)
    await dead.close()


async def test_without_the_store_each_process_keeps_its_own_limits_and_tells_later(server: RedisServer) -> None:
    declared, key = Limits(10, 1000, 10_000), uuid.uuid4()
    async with node(server, declared, None, may_be_away=True) as a, node(server, declared, None, may_be_away=True) as b:
        assert [isinstance(await asked(a, key), Reached) for _ in range(4)] == [False] * 4
        await a.flush()
        server.stop()
        try:
            began = time.monotonic()
            # a has counted four of its own, b none.
            for one, most in ((a, 6), (b, 10)):
                found = [await asked(one, key) for _ in range(12)]
                assert sum(not isinstance(answer, Reached) for answer in found) == most
                assert one.is_away
            assert time.monotonic() - began < 3
        finally:
            server.start()
        await until(lambda: not (a.is_away or b.is_away), 10)
        for one in (a, b):
            assert isinstance(await asked(one, key), Reached)


async def test_the_store_holds_counts_under_keyed_hashes_and_nothing_else(server: RedisServer) -> None:
    key = (uuid.uuid4(), True)
    async with node(server, Limits(50, 1000, 10_000, 1000, 1000, 5), None) as limits:
        passed = await asked(limits, key)
        assert not isinstance(passed, Reached)
        passed.used(12, 7)
        await limits.flush()
        with Redis.from_url(server.url) as looking:
            stored = {name: looking.hgetall(name) for name in looking.keys("*")}
            assert all(0 < looking.ttl(name) <= 88_000 for name in stored)
        text = repr(stored)
        assert str(key[0]) not in text
        assert key[0].hex not in text
        passed.close()
