import asyncio
import contextlib
import gc
import sys

import pytest

from crouter.runtime.egress.answer import QUEUE_BYTES_MAX
from crouter.runtime.egress.errors import EgressRefusedError, UpstreamError
from tests.unit.runtime.egress.upstreams import OK, reaching, serving, until, verbatim


async def test_an_answer_is_there_with_its_head_and_its_body_comes_in_pieces() -> None:
    async with (
        serving(verbatim(b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\ncontent-length: 2\r\n\r\n", b"hi")) as upstream,
        reaching(upstream.port) as reached,
    ):
        answer = await reached.channel.send("GET", "/v1/models?x=1", (("a", "b"),), None)
        assert (answer.status, answer.header("X-ONE"), answer.header("none")) == (200, "a", None)
        assert b"".join([piece async for piece in answer.pieces()]) == b"hi"
        answer.close()


async def test_an_answer_read_to_its_end_leaves_the_connection_open_and_one_that_is_not_closes_it() -> None:
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        for _ in range(2):
            answer = await reached.channel.send("POST", "/", (), b"x")
            assert [piece async for piece in answer.pieces()] == [b"hi"]
            answer.close()
        assert upstream.connections == 1
    async with serving(verbatim(OK[:-1], then=60)) as upstream, reaching(upstream.port) as reached:
        (await reached.channel.send("POST", "/", (), b"x")).close()
        await until(lambda: not reached.pool._open)


async def test_a_slow_reader_holds_the_upstream_back() -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await upstream.asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n")
        while sent < 40_000_000:
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        answer = await reached.channel.send("POST", "/", (), b"x")
        total = 0
        async for piece in answer.pieces():
            total += len(piece)
            if total < 3_000_000:
                await asyncio.sleep(0.01)
                assert answer._queued_bytes <= QUEUE_BYTES_MAX + 512 * 1024
                assert sent < 30_000_000
        assert total == 40_000_000


async def test_what_came_before_a_break_is_given_before_the_error() -> None:
    script = verbatim(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        answer = await reached.channel.send("POST", "/", (), b"x")
        pieces = answer.pieces()
        assert await anext(pieces) == b"half"
        for again in (pieces, answer.pieces()):
            with pytest.raises(UpstreamError) as caught:
                await anext(again)
            assert caught.value.args == ()
            assert caught.value.__suppress_context__


async def test_an_error_of_no_answer_at_all_is_raised_by_send() -> None:
    async with serving(verbatim(b"garbage\r\n\r\n")) as upstream, reaching(upstream.port) as reached:
        with pytest.raises(UpstreamError):
            await reached.channel.send("POST", "/", (), b"x")


async def test_whoever_stops_waiting_for_a_head_closes_the_upstream() -> None:
    gone = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upstream.asked(reader)
        await reader.read()
        gone.set()

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        sending = asyncio.create_task(reached.channel.send("POST", "/", (), b"x"))
        await until(lambda: len(upstream.requests) == 1)
        sending.cancel()
        await asyncio.wait_for(gone.wait(), 20)
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_a_failed_request_is_held_by_nobody_when_its_error_was_handled() -> None:
    async with serving(verbatim(b"garbage\r\n\r\n")) as upstream, reaching(upstream.port) as reached:
        body = b"-".join((b"some", b"prompt"))
        gc.disable()  # what only the collector would find is held too long
        try:
            before = sys.getrefcount(body)
            with contextlib.suppress(UpstreamError):
                await reached.channel.send("POST", "/", (), body)
            assert sys.getrefcount(body) == before
        finally:
            gc.enable()


async def test_a_head_that_could_be_read_as_two_requests_never_reaches_the_upstream() -> None:
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        with pytest.raises(EgressRefusedError):
            await reached.channel.send("POST", "/", (("a", "b\r\n\r\nGET / HTTP/1.1"),), b"x")
    assert upstream.connections == 0
