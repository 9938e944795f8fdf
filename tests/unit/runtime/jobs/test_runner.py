"""Jobs run once on all nodes, one apart from the other, and leave evidence of how they ended."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.jobs.runner import Runner
from crouter.runtime.jobs.wake import wake
from tests.unit.runtime.jobs.jobs import Worker, worker
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


def job(name: str, run: Callable[[JobContext], Awaitable[None]], seconds_max: float = 60) -> Job:
    return Job(name=name, policy_path="mail", every=minutes(1), run=run, seconds_max=seconds_max)


def evidence(database: TestDatabase) -> list[tuple[object, ...]]:
    return database.execute("SELECT name, outcome, error, finished_at IS NOT NULL FROM job_run ORDER BY name")


async def test_a_job_that_fails_is_told_and_keeps_no_other_from_running(
    database: TestDatabase, declared: Declared
) -> None:
    ran: list[str] = []

    async def fail(context: JobContext) -> None:
        raise ValueError("canary")

    async def work(context: JobContext) -> None:
        ran.append("work")

    async with worker(declared, database.dsn, [job("broken", fail), job("whole", work)]) as one:
        await asyncio.gather(one.runner.run("broken"), one.runner.run("whole"))
        (line,) = one.lines()
    assert ran == ["work"]
    assert (line["event"], line["job"], line["error"]) == ("job_failed", "job.broken", "ValueError")
    assert "canary" not in str(line)
    assert evidence(database) == [("broken", "failed", "ValueError", False), ("whole", "complete", None, True)]


async def test_a_job_that_hangs_is_ended(database: TestDatabase, declared: Declared) -> None:
    async def hang(context: JobContext) -> None:
        await asyncio.Event().wait()

    async with worker(declared, database.dsn, [job("slow", hang, seconds_max=0.05)]) as one:
        await one.runner.run("slow")
    assert evidence(database) == [("slow", "failed", "TimeoutError", False)]


async def test_a_job_runs_on_one_node_at_a_time(database: TestDatabase, declared: Declared) -> None:
    under_way, most, runs = 0, 0, 0

    async def work(context: JobContext) -> None:
        nonlocal under_way, most, runs
        under_way += 1
        runs += 1
        most = max(most, under_way)
        await asyncio.sleep(0.05)
        under_way -= 1

    async with (
        worker(declared, database.dsn, [job("one", work)]) as here,
        worker(declared, database.dsn, [job("one", work)]) as there,
    ):
        await asyncio.gather(*(node.runner.run("one") for node in (here, there) for _ in range(5)))
    assert most == 1
    assert runs >= 1


async def test_who_asks_while_it_runs_gets_one_more_run(database: TestDatabase, declared: Declared) -> None:
    runs, begun, go_on = 0, asyncio.Event(), asyncio.Event()

    async def work(context: JobContext) -> None:
        nonlocal runs
        runs += 1
        begun.set()
        await go_on.wait()

    async with worker(declared, database.dsn, [job("one", work)]) as node:
        first = asyncio.create_task(node.runner.run("one"))
        await begun.wait()
        for _ in range(5):
            await node.runner.run("one")
        go_on.set()
        await first
    assert runs == 2


async def woken(node: Worker, event: asyncio.Event) -> None:
    """Ask again and again, because nothing tells that the worker has begun to listen."""
    async with asyncio.timeout(20):
        while not event.is_set():
            async with node.context.database.transaction() as connection:
                await wake(connection, "one")
                await wake(connection, "unknown here")
            await asyncio.sleep(0.05)


async def test_a_job_is_woken_when_the_transaction_that_asks_is_committed(
    database: TestDatabase, declared: Declared
) -> None:
    ran = asyncio.Event()

    async def work(context: JobContext) -> None:
        ran.set()

    async with worker(declared, database.dsn, [job("one", work)]) as node:
        task = asyncio.create_task(node.runner.listen())
        await woken(node, ran)
        await node.runner.close()
        ran.clear()
        async with node.context.database.transaction() as connection:
            await wake(connection, "one")
            await asyncio.sleep(0.2)
            assert not ran.is_set()
        async with asyncio.timeout(20):
            await ran.wait()
        task.cancel()
        await asyncio.wait({task})
        await node.runner.close()
    assert evidence(database) == [("one", "complete", None, True)]


async def test_a_runner_that_stops_cuts_off_what_does_not_end(database: TestDatabase, declared: Declared) -> None:
    begun = asyncio.Event()

    async def hang(context: JobContext) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with worker(declared, database.dsn, [job("one", hang)]) as node:
        task = asyncio.create_task(node.runner.listen())
        await woken(node, begun)
        task.cancel()
        await asyncio.wait({task})
        async with asyncio.timeout(20):
            await node.runner.close(grace_seconds=0.05)
    assert evidence(database) == [("one", "running", None, False)]


def test_two_jobs_of_one_name_are_a_mistake_of_ours() -> None:
    async def work(context: JobContext) -> None:
        pass

    with pytest.raises(AssertionError):
        Runner([job("one", work), job("one", work)], None)  # type: ignore[arg-type]
