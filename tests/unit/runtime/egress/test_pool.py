import asyncio
import contextlib
import os
import random
import socket

import pytest

from crouter.runtime.egress.errors import UpstreamError, UpstreamTimeoutError
from crouter.runtime.egress.pool import Bounds, Deadlines
from tests.unit.runtime.egress.upstreams import OK, Clock, reaching, serving, until, verbatim


async def test_a_connection_is_used_again_after_an_answer_that_ended_in_order() -> None:
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        for _ in range(5):
            assert (await reached.answered()).calls == ["head", "body", "end"]
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"surplus",
        OK + OK,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
    ],
)
async def test_a_connection_with_anything_left_over_is_not_used_again(answer: bytes) -> None:
    async with serving(verbatim(answer, then=60)) as upstream, reaching(upstream.port) as reached:
        for _ in range(2):
            noted = await reached.answered()
            assert (noted.calls, noted.content) == (["head", "body", "end"], b"hi")
    assert upstream.connections == 2


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 408 Timeout\r\ncontent-length: 0\r\n\r\n", b"\r\n"])
async def test_an_idle_connection_that_closes_or_says_anything_is_dropped(said: bytes) -> None:
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        await reached.answered()
        upstream.writers[0].write(said)
        if not said:
            upstream.writers[0].close()
        await until(lambda: not reached.pool._open)
        assert (await reached.answered()).content == b"hi"
    assert upstream.connections == 2


async def test_a_connection_that_closed_while_the_loop_was_busy_is_not_written_to() -> None:
    """The close is known to the machine and not to the loop yet: what decides whether a request is lost."""
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        await reached.answered()
        # No turn of the loop between the close and the next request.
        with socket.socket(fileno=os.dup(upstream.writers[0].get_extra_info("socket").fileno())) as server_side:
            server_side.shutdown(socket.SHUT_WR)
        noted = reached.ask()
        await noted.over()
        assert noted.calls == ["head", "body", "end"]
    assert upstream.connections == 2


async def test_a_used_connection_that_ends_without_an_answer_is_not_said_to_be_safe() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upstream.asked(reader)
        writer.write(OK)
        await upstream.asked(reader)

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        await reached.answered()
        noted = await reached.answered()
    assert noted.calls == ["broke_off"]
    assert noted.error is not None
    assert not noted.error.nothing_sent
    assert len(upstream.requests) == 2


async def test_the_connection_used_last_is_used_next_and_the_others_expire() -> None:
    clock = Clock()
    release = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await upstream.asked(reader):
            await release.wait()
            writer.write(OK)

    async with (
        serving(script) as upstream,
        reaching(upstream.port, clock=clock, deadlines=Deadlines(idle=30)) as reached,
    ):
        asked = [reached.ask() for _ in range(3)]
        await until(lambda: len(upstream.requests) == 3)
        release.set()
        for noted in asked:
            await noted.over()
        for _ in range(5):
            clock.now += 29
            await reached.answered()
            reached.pool.sweep()
        await until(lambda: len(reached.pool._open) == 1)
        clock.now += 31
        reached.pool.sweep()
        await until(lambda: not reached.pool._open)
    assert upstream.connections == 3


async def test_requests_beyond_the_bound_wait_their_turn_and_beyond_that_break_off_unsent() -> None:
    release = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await upstream.asked(reader):
            await release.wait()
            writer.write(OK)

    async with serving(script) as upstream, reaching(upstream.port, bounds=Bounds(connections=2, waiting=3)) as reached:
        asked = [reached.ask(headers=(("n", str(n)),)) for n in range(6)]
        assert asked[5].calls == [], "never called before exchange() has returned"
        await asked[5].over()
        assert asked[5].error is not None
        assert asked[5].error.nothing_sent
        asked[3].cancel()
        release.set()
        for n in (0, 1, 2, 4):
            await asked[n].over()
            assert asked[n].calls == ["head", "body", "end"]
    assert upstream.connections == 2
    assert asked[3].calls == []
    assert [b"n: 3" in head for head, _ in upstream.requests] == [False] * 4


async def test_a_connection_that_ends_makes_room_for_one_that_waits() -> None:
    async with (
        serving(verbatim(b"nonsense\r\n\r\n")) as upstream,
        reaching(upstream.port, bounds=Bounds(connections=1, waiting=9)) as reached,
    ):
        asked = [reached.ask() for _ in range(4)]
        for noted in asked:
            await noted.over()
            assert noted.calls == ["broke_off"]
    assert upstream.connections == 4


async def test_waiting_for_a_connection_has_its_time() -> None:
    clock = Clock()
    async with (
        serving(_silent) as upstream,
        reaching(
            upstream.port, clock=clock, bounds=Bounds(connections=1, waiting=9), deadlines=Deadlines(connect=10)
        ) as reached,
    ):
        first, second = reached.ask(), reached.ask()
        await until(lambda: upstream.connections == 1)
        clock.now += 11
        reached.pool.sweep()
        assert first.calls == []
        assert second.timed_out
        assert second.error is not None
        assert second.error.nothing_sent


async def test_nothing_listens_there_means_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with reaching(unused.getsockname()[1]) as reached:
            noted = await reached.answered()
    assert noted.error is not None
    assert noted.error.nothing_sent
    assert noted.error.args == ()


async def test_a_connection_that_never_comes_about_is_given_up_in_time() -> None:
    clock = Clock()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    client.connect(full.getsockname())
            async with reaching(full.getsockname()[1], clock=clock) as reached:
                noted = reached.ask()
                await asyncio.sleep(0.05)
                clock.now += 11
                reached.pool.sweep()
                assert noted.timed_out
                assert noted.error is not None
                assert noted.error.nothing_sent


async def test_closing_breaks_off_what_is_under_way_and_leaves_nothing_open() -> None:
    async with serving(_silent) as upstream:
        async with reaching(upstream.port, bounds=Bounds(connections=2, waiting=9)) as reached:
            asked = [reached.ask() for _ in range(4)]
            await until(lambda: upstream.connections == 2)
        assert [noted.calls for noted in asked] == [["broke_off"]] * 4
        assert not reached.pool._open
        late = reached.ask()
        await late.over()
        assert late.calls == ["broke_off"]
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_every_request_has_its_own_answer_or_none(seed: int) -> None:
    """Answers, cancellations, resets and surplus bytes in any order; what a request gets is what belongs to it."""
    chance = random.Random(seed)  # noqa: S311

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await upstream.asked(reader):
            body = upstream.requests[-1][1]
            await asyncio.sleep(chance.random() * 0.01)
            match chance.randrange(8):
                case 0:
                    return
                case 1:
                    writer.transport.abort()
                    return
                case 2:
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%ssurplus" % (len(body), body))
                case 3:
                    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(chance.random() * 0.01)
                    writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
                case _:
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async with (
        serving(script) as upstream,
        reaching(upstream.port, bounds=Bounds(connections=7, waiting=500)) as reached,
    ):
        asked = {}
        for n in range(300):
            body = b"request %d %s" % (n, b"x" * chance.choice((1, 1000, 30_000)))
            asked[n] = body, reached.ask(body=body)
            if chance.random() < 0.2:
                chance.choice(list(asked.values()))[1].cancel()
            await asyncio.sleep(chance.random() * 0.002)
        for body, noted in asked.values():
            if noted.exchange is not None and noted.exchange.receiver is not None:
                await noted.over()
            assert noted.content in (b"", body), f"seed {seed}"
            assert noted.calls.count("end") + noted.calls.count("broke_off") <= 1
            if noted.calls[-1:] == ["end"]:
                assert noted.content == body, f"seed {seed}"
    assert not reached.pool._open


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


def test_an_error_says_nothing_by_itself() -> None:
    assert UpstreamError().args == ()
    assert UpstreamTimeoutError(nothing_sent=True).args == ()
