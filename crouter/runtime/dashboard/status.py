"""How each part of the service is, for anybody to see. Nothing about a person, no address, no host, no count of use.

What is asked of others - the database - is asked at most once in a few seconds, however many people look.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from psycopg import sql

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.heartbeat import Heartbeat
from crouter.runtime.proxy.upstream_keys import UpstreamKeys

State = Literal["up", "limited", "down", "off"]
KEPT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part: what it is called, how it is, and what that means for whoever uses the service."""

    name: str
    label: str
    state: State
    meaning: str


Check = Callable[[], Awaitable[PartStatus]]


class ServiceStatus:
    """The state of all parts, remembered for a few seconds."""

    def __init__(self, checks: Sequence[Check], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = tuple(checks)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: tuple[PartStatus, ...] = ()
        self._known_at = float("-inf")

    async def parts(self) -> tuple[PartStatus, ...]:
        """Every part, in the order of the checks."""
        async with self._lock:
            if self._clock() - self._known_at >= KEPT_SECONDS:
                self._known = tuple([await check() for check in self._checks])
                self._known_at = self._clock()
            return self._known


def overall(parts: Sequence[PartStatus]) -> State:
    """The worst of what is there; a part that is switched off is no fault."""
    states = {part.state for part in parts}
    return "down" if "down" in states else "limited" if "limited" in states else "up"


def proxy_check() -> Check:
    """The proxy answers, because somebody could ask."""

    async def check() -> PartStatus:
        return PartStatus("proxy", "API", "up", "Requests are accepted.")

    return check


def database_check(database: Database) -> Check:
    """Whether the database answers in time."""

    async def check() -> PartStatus:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await database.rows(sql.SQL("SELECT 1"))
        except (DatabaseError, TimeoutError):
            meaning = (
                "Does not answer. Requests with keys that were used lately go on for a while; "
                "sign-in, dashboards and new keys wait. Nothing that was used is lost."
            )
            return PartStatus("database", "Database", "down", meaning)
        return PartStatus("database", "Database", "up", "Answers.")

    return check


def upstream_check(keys: UpstreamKeys, label: str) -> Check:
    """What attempts at the upstream have told lately, all models together."""

    async def check() -> PartStatus:
        states = {key.state for key in keys.health()}
        if states <= {"healthy"}:
            return PartStatus("upstream", label, "up", "Nothing has failed lately.")
        if states == {"refused"}:
            meaning = "Takes no requests from us at the moment. They are answered with 503 and can be repeated."
            return PartStatus("upstream", label, "down", meaning)
        meaning = "Some attempts failed or were limited lately. Others go through."
        return PartStatus("upstream", label, "limited", meaning)

    return check


def retention_check(heartbeat: Heartbeat) -> Check:
    """Whether the jobs that delete what is due have run in time."""

    async def check() -> PartStatus:
        if heartbeat.late:
            late = ", ".join(sorted(heartbeat.late))
            return PartStatus("retention", "Deletion jobs", "limited", f"Late: {late}. The proof page shows it, too.")
        return PartStatus("retention", "Deletion jobs", "up", "All have run in time.")

    return check


def offered_check(name: str, label: str, *, is_offered: bool, meaning: str) -> Check:
    """A part that is there or not, by how the service is set up."""

    async def check() -> PartStatus:
        if is_offered:
            return PartStatus(name, label, "up", meaning)
        return PartStatus(name, label, "off", "Not set up here.")

    return check
