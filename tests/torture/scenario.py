"""What a scenario is, what it needs of the machine, and how it is played: set up, play, stop, compare."""

import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.torture.ground import Ground
from tests.torture.world import World, staged

_SYSTEM_PATHS = "/usr/sbin:/usr/local/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Need:
    """Something that not every machine has."""

    what: str
    is_there: Callable[[], bool]


def program(name: str) -> str | None:
    """Where a program is installed, or None."""
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_PATHS)


ROOT = Need("root, to mount small file systems", lambda: os.geteuid() == 0 and program("mount") is not None)
NGINX = Need("nginx", lambda: program("nginx") is not None)
HAPROXY = Need("HAProxy", lambda: program("haproxy") is not None)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of fault. `play` hurts what it finds and leaves the journals to be compared.

    `ground` may give it other ground to stand on than the shared one, such as a database on a small disk.
    """

    name: str
    play: Callable[[World], Awaitable[None]]
    needs: tuple[Need, ...] = ()
    ground: Callable[[Ground], contextlib.AbstractContextManager[Ground]] = contextlib.nullcontext
    environ: Callable[[], contextlib.AbstractContextManager[dict[str, str]]] = lambda: contextlib.nullcontext({})

    @property
    def missing(self) -> tuple[str, ...]:
        """What this machine lacks for it."""
        return tuple(need.what for need in self.needs if not need.is_there())


async def play(scenario: Scenario, ground: Ground, seed: int, *, long: bool) -> None:
    """Plays one scenario to its end. Raises DifferError, or whatever went wrong on the way."""
    with scenario.ground(ground) as under, scenario.environ() as environ:
        try:
            async with staged(under, scenario.name, seed, long=long, **environ) as world:
                await scenario.play(world)
                await world.finish()
        finally:
            under.postgres.ensure()
