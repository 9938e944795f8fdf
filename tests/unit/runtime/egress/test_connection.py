import asyncio
import gc
import socket
import struct
import tracemalloc
from typing import Any

import pytest

from crouter.runtime.egress.connection import JOINED_BYTES_MAX, PIECE_BYTES
from crouter.runtime.egress.errors import UpstreamError
from crouter.runtime.egress.pool import Deadlines
from tests.unit.runtime.egress.upstreams import OK, Clock, reaching, serving, until, verbatim

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(
    b"%x\r\n%s\r\n" % (len(event), event) for event in (b"event: a\n\n", b"event: bb\n\n", b"event: ccc\n\n")
)


async def test_an_answer_sent_byte_by_byte_arrives_whole() -> None:
    whole = STREAM + b"0\r\n\r\n"
    script = verbatim(*(whole[i : i + 1] for i in range(len(whole))))
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered()
    assert noted.calls == ["head", "body", "end"]
    assert noted.content == b"event: a\n\nevent: bb\n\nevent: ccc\n\n"


@pytest.mark.parametrize(
    "size", [0, 1, JOINED_BYTES_MAX, JOINED_BYTES_MAX + 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * 10**6]
)
async def test_a_body_of_any_size_arrives_as_it_is(size: int) -> None:
    body = bytes(i % 251 for i in range(min(size, 251))) * (size // 251 + 1)
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered(body=body[:size])
        again = await reached.answered()
    assert (noted.content, again.content) == (b"hi", b"hi")
    assert upstream.requests[0][1] == body[:size]
    assert upstream.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhell",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n0\r\n",
    ],
)
async def test_an_answer_cut_short_breaks_off_after_what_there_was_of_it(answer: bytes) -> None:
    async with serving(verbatim(answer)) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered()
    assert noted.calls == ["head", "body", "broke_off"]
    assert noted.content == b"hell"
    assert noted.error is not None
    assert not noted.error.nothing_sent


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 20", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, b"\x15\x03\x01\x00\x02"],
)
async def test_what_is_no_answer_breaks_off_without_a_head(answer: bytes) -> None:
    script = verbatim(answer, then=0.0 if len(answer) < 20 else 60)
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered()
    assert noted.calls == ["broke_off"]
    assert type(noted.error) is UpstreamError
    assert noted.error.args == ()


async def test_a_reset_breaks_off() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM)
        await writer.drain()
        await release.wait()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    release = asyncio.Event()
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = reached.ask()
        await noted.seen(lambda noted: len(noted.content) > 30)
        release.set()
        await noted.over()
    assert noted.calls == ["head", "body", "broke_off"]


async def test_an_answer_that_ends_with_its_connection_ends_in_order() -> None:
    script = verbatim(b"HTTP/1.1 200 OK\r\n\r\nsome", b" more")
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered()
    assert (noted.calls, noted.content) == (["head", "body", "end"], b"some more")


async def test_redirects_codings_and_unknown_statuses_come_back_untouched() -> None:
    raw = b"\x1f\x8b\x08\x00not really gzip"
    answer = (
        b"HTTP/1.1 307 Temporary\r\nlocation: https://example.org/\r\ncontent-encoding: gzip\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(raw), raw)
    )
    async with serving(verbatim(answer, then=60)) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered()
    assert (noted.status, noted.content, upstream.connections) == (307, raw, 1)
    assert ("location", "https://example.org/") in noted.headers


async def test_an_answer_that_comes_while_the_body_is_still_being_sent_is_whole_and_ends_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await asyncio.sleep(60)

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = await reached.answered(body=b"x" * 30_000_000)
        assert (noted.status, noted.calls) == (413, ["head", "body", "end"])
        other = reached.ask()
        await until(lambda: upstream.connections == 2)
        other.cancel()


async def test_a_client_that_leaves_closes_the_upstream_and_hears_no_more() -> None:
    closed = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM)
        await writer.drain()
        try:
            await reader.read()
        finally:
            closed.set()

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = reached.ask(body=None)
        await noted.seen(lambda noted: len(noted.content) > 30)
        noted.cancel()
        noted.cancel()
        await asyncio.wait_for(closed.wait(), 20)
    assert noted.calls == ["head", "body"]


@pytest.mark.parametrize("at", ["head", "body", "end"])
async def test_a_receiver_may_leave_at_any_call(at: str) -> None:
    async with serving(None) as upstream, reaching(upstream.port) as reached:
        noted = reached.ask()
        note = noted._note

        def leaving(call: str) -> None:
            note(call)
            if call == at:
                noted.cancel()

        noted._note = leaving  # type: ignore[method-assign]
        await noted.seen(lambda noted: at in noted.calls)
        assert (await reached.answered()).calls == ["head", "body", "end"]
    assert noted.calls[-1] == at


async def test_an_answer_that_nobody_takes_stays_with_the_upstream() -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        while sent < 50_000_000:
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = reached.ask()
        assert noted.exchange is not None
        noted.exchange.pause()
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not noted.content
        assert sent < 20_000_000
        noted.exchange.resume()
        await noted.over()
    assert len(noted.content) == 50_000_000


async def test_a_large_body_is_not_held_twice_while_it_is_sent() -> None:
    taken = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken.wait()
        await upstream.asked(reader)
        writer.write(OK)

    body = b"x" * 32_000_000
    async with serving(script) as upstream, reaching(upstream.port) as reached:
        tracemalloc.start()
        try:
            noted = reached.ask(body=body)
            await asyncio.sleep(0.2)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 4_000_000
        taken.set()
        await noted.over()
    assert len(upstream.requests[0][1]) == len(body)


async def test_silence_and_a_request_that_is_not_taken_and_an_answer_without_end_are_given_up_in_time() -> None:
    clock = Clock()
    deadlines = Deadlines(silence=100, write=50, total=1000)
    async with (
        serving(verbatim(STREAM, then=60)) as upstream,
        reaching(upstream.port, clock=clock, deadlines=deadlines) as reached,
    ):
        silent = reached.ask(body=None)
        await silent.seen(lambda noted: "body" in noted.calls)
        clock.now += 100
        reached.pool.sweep()
        assert silent.error is None
        clock.now += 1
        reached.pool.sweep()
        assert silent.timed_out
        assert silent.error is not None
        assert not silent.error.nothing_sent

    async with (
        serving(_reads_nothing) as upstream,
        reaching(upstream.port, clock=clock, deadlines=deadlines) as reached,
    ):
        stuck = reached.ask(body=b"x" * 30_000_000)
        await until(lambda: upstream.connections == 1)
        for _ in range(100):
            await asyncio.sleep(0.01)
            reached.pool.sweep()
        clock.now += 51
        reached.pool.sweep()
        assert stuck.timed_out


async def test_a_paused_answer_is_not_called_silent_but_ends_with_the_total_bound() -> None:
    clock = Clock()
    async with (
        serving(verbatim(STREAM, then=60)) as upstream,
        reaching(upstream.port, clock=clock, deadlines=Deadlines(silence=100, total=1000)) as reached,
    ):
        noted = reached.ask(body=None)
        await noted.seen(lambda noted: "body" in noted.calls)
        assert noted.exchange is not None
        noted.exchange.pause()
        for _ in range(9):
            clock.now += 101
            reached.pool.sweep()
        assert noted.error is None
        clock.now += 101
        reached.pool.sweep()
        assert noted.timed_out


async def test_a_connection_keeps_nothing_of_what_went_over_it() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"PROMPT")
        writer.write(b"HTTP/1.1 200 OK\r\nx: HEADER\r\ncontent-length: 6\r\n\r\nANSWER")
        await asyncio.sleep(60)

    async with serving(script) as upstream, reaching(upstream.port) as reached:
        noted = reached.ask(body=b"-".join((b"a", b"PROMPT")), headers=(("y", "".join(("SEC", "RET"))),))
        await noted.over()
        assert noted.content == b"ANSWER"
        del noted
        for _ in range(3):
            await asyncio.sleep(0)
        held = _reachable(reached.pool)
    for word in ("a-PROMPT", "SECRET", "HEADER", "ANSWER"):
        assert not [text for text in held if word in text], word


async def _reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


def _reachable(start: object) -> list[str]:
    """The texts that an object leads to, through whatever the collector knows of our own modules."""
    seen: dict[int, object] = {}
    todo: list[Any] = [start]
    texts = []
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, str):
            texts.append(thing)
        elif isinstance(thing, bytes | bytearray):
            texts.append(thing.decode("latin-1"))
        elif isinstance(thing, asyncio.AbstractEventLoop) or type(thing).__name__ in ("module", "function", "frame"):
            continue
        todo.extend(gc.get_referents(thing))
        assert len(seen) < 200_000
    return texts
