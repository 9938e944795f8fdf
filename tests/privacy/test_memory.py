"""After a request no live object of the process holds any of its content.

Seen is what Python's garbage collector knows and everything that refers to, waiting coroutines with their locals
included. What only the memory of a C library held, and what was freed but not overwritten, is not seen.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.simulator import Reset, Scripted, Simulator, Stall, Wait
from tests.behaviour.service import UPSTREAM_KEY, until
from tests.privacy import content, scenarios
from tests.privacy.canaries import Canaries
from tests.privacy.content import DROPPED_HEADERS, OWN_HEADERS, PASSED_HEADERS
from tests.privacy.planted_service import CENSUS, MARK_REVERSED
from tests.privacy.sandbox import Sandbox
from tests.privacy.store import Store
from tests.privacy.world import PLANTED_SERVICE, World, make_customers, running_world

pytestmark = [pytest.mark.claim("exclude-retention"), pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Memory:
    """A running service whose live objects can be counted."""

    world: World
    census: Path

    async def holding(self) -> dict[str, str]:
        """What live objects hold now: the positions of canaries, and the type of the object and its holder."""
        self.census.unlink(missing_ok=True)
        self.world.process.signal(signal.SIGUSR1)
        await until(self.census.exists, 20)
        counted = json.loads(self.census.read_text(encoding="utf-8"))
        assert counted["objects"] > 10_000, "the census saw next to nothing"
        position = self.world.canaries.position
        return {position(canary): where for canary, where in counted["found"].items()}

    async def content(self) -> dict[str, str]:
        """The same without what stands in heads: a connection that is open still has its last ones."""
        heads = {*DROPPED_HEADERS, *PASSED_HEADERS, *OWN_HEADERS, "query", "response_header", "response_cookie"}
        found = await self.holding()
        return {place: where for place, where in found.items() if place.split("/")[1] not in heads}

    async def left(self, look: Callable[[], Awaitable[dict[str, str]]]) -> dict[str, str]:
        """What is still held when the service is done with whatever it did; it has a second for that."""
        await self.world.simulator.ledger.settled(5)
        found = await look()
        for _ in range(10):
            if not found:
                break
            await asyncio.sleep(0.1)
            found = await look()
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def memory(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Memory]:
    root = tmp_path_factory.mktemp("memory")
    canaries, sandbox, store = Canaries(seed + 2), Sandbox(root / "sandbox"), Store(root / "store")
    simulator = Simulator(UPSTREAM_KEY, pace_s=0.0)
    store.start()
    try:
        async with simulator.serving():
            dsn = store.migrated("crouter", deployment)
            customers = await make_customers(deployment, dsn)
            environ = {MARK_REVERSED: canaries.mark[::-1], CENSUS: str(root / "census.json")}
            async with running_world(
                sandbox, "memory", canaries, dsn, customers, simulator, *PLANTED_SERVICE, **environ
            ) as world:
                yield Memory(world, root / "census.json")
    finally:
        store.stop()


async def test_exclude_retention__answered_requests_are_gone_at_once(memory: Memory) -> None:
    world = memory.world
    for name in ("json", "stream"):
        reply = content.answer(world.planting(name)) if name == "json" else content.stream(world.planting(name))
        assert (await world.message(name, reply, stream=name == "stream")).status == 200
        assert await memory.left(memory.content) == {}


async def test_exclude_retention__large_requests_and_answers_are_gone_at_once(memory: Memory) -> None:
    world = memory.world
    much = world.canaries.plant("large/text") * 100_000
    for reply in (Scripted.message(much), Scripted.message_stream(much)):
        answer = await world.message("large", reply, words=much)
        assert len(answer.body) > len(much)
    assert await memory.left(memory.content) == {}


async def test_exclude_retention__refused_and_failed_requests_are_gone_at_once(memory: Memory) -> None:
    world = memory.world
    await world.message("unpriced", model=world.canaries.plant("unpriced/model"))
    await world.ask("broken", b'{"prompt": "' + world.canaries.plant("broken/prompt").encode())
    await world.message("error", content.error(world.planting("error"), "api_error"))
    await world.message("reset", content.stream(world.planting("reset"), Reset(), keep=6), stream=True)
    await scenarios.crashed(world)
    assert await memory.left(memory.content) == {}


async def test_exclude_retention__requests_whose_client_left_are_gone_at_once(memory: Memory) -> None:
    world = memory.world
    async with world.open_stream("left", content.stream(world.planting("left"), Stall(), keep=6)):
        pass
    assert await memory.left(memory.content) == {}


async def test_exclude_retention__nothing_at_all_is_left_when_connections_have_ended(memory: Memory) -> None:
    world = memory.world
    for name in ("last json", "last stream"):
        await world.message(name, content.answer(world.planting(name)), stream="stream" in name)
    await world.ask("last path", method="GET", path=f"/{world.canaries.plant('last path/path')}")
    await world.reconnect()
    assert await memory.left(memory.holding) == {}


async def test_exclude_retention__a_prompt_is_gone_while_its_answer_is_still_under_way(memory: Memory) -> None:
    world = memory.world
    async with world.open_stream("under way", content.stream(world.planting("answering"), Stall(), keep=1)):
        held = await memory.content()
    assert {place for place in held if place.startswith("under way/")} == set()


async def test_control__a_prompt_is_seen_while_its_request_waits_for_an_answer(memory: Memory) -> None:
    world = memory.world
    slow = Scripted.verbatim_http(Wait(1.0), b"HTTP/1.1 500 Slow\r\ncontent-length: 2\r\n\r\n{}")
    asked = asyncio.create_task(world.message("waits", slow))
    await asyncio.sleep(0.3)
    assert "waits/prompt" in await memory.content()
    assert (await asked).status == 500


async def test_control__what_is_kept_on_purpose_is_seen(memory: Memory) -> None:
    await memory.world.message("kept", words="leak:memory ")
    held = await memory.content()
    assert held["kept/prompt"] == "bytes in list"
