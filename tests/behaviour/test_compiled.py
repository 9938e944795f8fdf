"""A service of a tree that was compiled runs what was compiled: all of it, in each of its processes."""

import asyncio
import re
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from crouter.runtime.compiled.modules import MODULES, SHARED
from crouter.runtime.compiled.use import fitting
from crouter.simulator import Simulator
from tests.behaviour.service import UPSTREAM_KEY, environment
from tests.behaviour.test_process import process, refusal

pytestmark = pytest.mark.skipif(
    fitting() is None, reason="NOTHING IS COMPILED of these sources (make compiled): services run the sources"
)

# What an interpreter says while it imports, and when it ends. Compiled modules import one another without a word.
FROM_A_LIBRARY = re.compile(rf"^import '{SHARED}' # <\S+\.ExtensionFileLoader ", re.MULTILINE)
FROM_A_SOURCE = re.compile(r"^import '(crouter[\w.]+)' # <\S+\.SourceFileLoader ", re.MULTILINE)
HAD = re.compile(r"^# cleanup\[\d\] removing (crouter[\w.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Imported:
    """How many processes of a service had each module of the data path, and where they had it from."""

    had: Counter[str]
    from_libraries: int
    from_sources: set[str]


async def imported(dsn: str, generated: Path, **environ: str) -> Imported:
    said = b""
    async with Simulator(UPSTREAM_KEY).serving() as upstream:
        given = environment(dsn, upstream, PYTHONVERBOSE="1", **environ)
        async with process(generated, given, log=asyncio.subprocess.DEVNULL) as child:
            assert child.stderr is not None
            async with asyncio.timeout(60):
                while b" answers on " not in said:
                    said += await child.stderr.readline()
                child.send_signal(signal.SIGTERM)
                said += (await child.communicate())[1]
    text = said.decode()
    return Imported(
        Counter(name for name in HAD.findall(text) if name in MODULES),
        len(FROM_A_LIBRARY.findall(text)),
        set(FROM_A_SOURCE.findall(text)) & set(MODULES),
    )


async def test_a_service_runs_all_that_was_compiled(dsn: str, generated: Path) -> None:
    found = await imported(dsn, generated)
    assert found == Imported(Counter(MODULES), 1, set())


async def test_so_does_a_process_below_a_supervisor(dsn: str, generated: Path) -> None:
    # One of them, so that what both say stays apart: the supervisor has imported everything before it starts it.
    found = await imported(dsn, generated, CROUTER_PROCESSES="1")
    assert found == Imported(Counter(2 * MODULES), 2, set())


async def test_a_setting_makes_it_run_the_sources(dsn: str, generated: Path) -> None:
    found = await imported(dsn, generated, CROUTER_INTERPRETED="1")
    assert found == Imported(Counter(MODULES), 0, set(MODULES))


async def test_the_setting_is_1_or_not_set(dsn: str, generated: Path) -> None:
    told = await refusal(generated, environment(dsn, "http://127.0.0.1:1", CROUTER_INTERPRETED="no"))
    assert "CROUTER_INTERPRETED: is 1, or not set" in told
