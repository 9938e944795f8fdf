"""The store of shared limits: one exchange with the limits of one key, atomic, in one round trip.

What a node tells: what was used since the last time, and how much it holds. What it gets: how much more it may hold,
what others hold, how long to wait, and how the key stands. Names of keys are keyed hashes; beside them stand counts, by
step, for a day at most, and nothing else.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from crouter.contract.traffic import Limits
from crouter.runtime.fleet.settings import FleetSettings

SCRIPT: Final = Path(__file__).with_name("exchange.lua")
PREFIX: Final = "crouter:limits:"
CHANNEL: Final = "crouter:limits"
LIFETIME_SECONDS: Final = 30.0
"""How long what a node holds is held for it without a word of it."""
SHARES: Final = 8
"""What a node is given in advance is at most this part of what is left."""
TIMEOUT_SECONDS: Final = 0.25
CONNECTIONS_MAX: Final = 8
_NAME_BYTES: Final = 16


class StoreAwayError(Exception):
    """The store cannot be reached, or does not answer in time."""


@dataclass(slots=True)
class Told:
    """What a node says of one key. Ages are seconds before now; `kind` is r, i or o: requests, input, output."""

    sequence: int
    held: int
    slots: int
    least: int
    wanted: int
    least_slots: int
    wanted_slots: int
    uses: Sequence[tuple[str, float, int]]


@dataclass(slots=True)
class Answer:
    """What the store says. `left` counts what nobody else has used or holds; `reached` is 1 to 5, 0 for no window."""

    granted: int
    granted_slots: int
    others_held: int
    others_slots: int
    left: int
    reached: int
    wait_seconds: float
    windows: tuple[tuple[int, float], ...]
    """Of each window how much is used, and in how many seconds it is whole again."""


class FleetStore:
    """The store as one node sees it. `clock` is for tests; otherwise the store's own clock counts, for all alike."""

    def __init__(self, settings: FleetSettings, node: str, secret: bytes, clock: Callable[[], float] | None) -> None:
        self.node = node
        self._secret = secret
        self._clock = clock
        self._redis: Redis = Redis.from_url(
            settings.url.reveal(),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=2 * TIMEOUT_SECONDS,
            max_connections=CONNECTIONS_MAX,
            # Retrying is the caller's: a retried exchange is told by its sequence.
            retry=Retry(NoBackoff(), 0),
        )
        # Nothing may come for long; that it is silent does not mean that it is away.
        self._listening = Redis.from_url(
            settings.url.reveal(), socket_timeout=None, socket_connect_timeout=2 * TIMEOUT_SECONDS, max_connections=1
        )
        self._script = self._redis.register_script(SCRIPT.read_text(encoding="ascii"))

    def name_of(self, key: object) -> str:
        """The name of a key's limits in the store."""
        digest = hmac.digest(self._secret, f"limits {key!r}".encode(), hashlib.sha256)
        return PREFIX + digest[:_NAME_BYTES].hex()

    async def exchange(self, name: str, limits: Limits, told: Told) -> Answer:
        """Tells and asks. Raises StoreAwayError."""
        arguments: list[Any] = [
            self.node,
            "" if self._clock is None else repr(self._clock()),
            told.sequence,
            told.held,
            told.slots,
            told.least,
            told.wanted,
            told.least_slots,
            told.wanted_slots,
            LIFETIME_SECONDS,
            SHARES,
            limits.concurrent_requests or 0,
            limits.requests_per_minute,
            limits.requests_per_hour,
            limits.requests_per_day,
            limits.input_tokens_per_minute or 0,
            limits.output_tokens_per_minute or 0,
        ]
        for kind, age, amount in told.uses:
            arguments += (kind, f"{age:.6f}", amount)
        try:
            answer = await self._script(keys=[name, CHANNEL], args=arguments)
        except (RedisError, OSError, TimeoutError):
            raise StoreAwayError from None
        windows = tuple((int(answer[n]), float(answer[n + 1])) for n in range(7, 17, 2))
        granted, granted_slots, others_held, others_slots, left, reached = map(int, answer[:6])
        return Answer(granted, granted_slots, others_held, others_slots, left, reached, float(answer[6]), windows)

    @asynccontextmanager
    async def calls(self) -> AsyncIterator[AsyncIterator[str]]:
        """Names of keys of which another node lacks something. Raises StoreAwayError, also while iterating."""
        listener = self._listening.pubsub(ignore_subscribe_messages=True)

        async def names() -> AsyncIterator[str]:
            try:
                while True:
                    message = await listener.get_message(timeout=1.0)
                    if message is not None:
                        name, _, node = message["data"].decode().partition(" ")
                        if node != self.node:
                            yield name
            except (RedisError, OSError):
                raise StoreAwayError from None

        try:
            await listener.subscribe(CHANNEL)
            yield names()
        except (RedisError, OSError):
            raise StoreAwayError from None
        finally:
            await listener.aclose()  # type: ignore[no-untyped-call]  # redis types it so

    async def close(self) -> None:
        await self._redis.aclose()
        await self._listening.aclose()
