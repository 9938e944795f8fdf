"""Two ways through the service, one contract: what is plain is served in callbacks, the rest by aiohttp."""

import asyncio
import contextlib
import gc
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crouter.runtime.front.connection import Connection
from crouter.runtime.front.turn import Turn
from crouter.runtime.server.protocol import Protocol
from crouter.simulator import Scripted
from tests.behaviour.service import Service, message, until

# Dropped before anything leaves, and no part of the plain form: aiohttp serves a request that has it.
ODD = "TE: trailers"
# Less is left after each request.
_STANDING = re.compile(rb"\r\nanthropic-ratelimit-[a-z-]+: [^\r]*")
_OWN = re.compile(rb"(?im)^date: [^\r]*|req_[0-9A-Za-z]+|msg_[0-9A-Za-z]+")


class Wire:
    """A client that sees bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> bytes:
        """The next answer, head and body as they came."""
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if length is not None:
                return head + await self.reader.readexactly(int(length[1]))
            body = b""
            while not body.endswith(b"\r\n0\r\n\r\n") and body != b"0\r\n\r\n":
                body += await self.reader.readexactly(1)
            return head + body


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[Wire]:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def request(
    service: Service, body: bytes | None = None, *more: str, key: str | None = None, stream: bool = False
) -> bytes:
    content = json.dumps(message(stream=stream)).encode() if body is None else body
    lines = (
        "POST /v1/messages?beta=true HTTP/1.1",
        "Host: localhost",
        "Anthropic-Version: 2023-06-01",
        f"x-api-key: {service.key if key is None else key}",
        f"Content-Length: {len(content)}",
        *more,
    )
    return "\r\n".join((*lines, "", "")).encode() + content


def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the connections that aiohttp gets, from now on."""
    count: list[int] = []
    original = Protocol.connection_made

    def counted(protocol: Protocol, transport: asyncio.BaseTransport) -> None:
        count.append(1)
        original(protocol, transport)

    monkeypatch.setattr(Protocol, "connection_made", counted)
    return count


def comparable(answer: bytes) -> bytes:
    """Without the date, the ids and what is left, which no two answers share, and without how chunks were cut."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head:
        body = b"".join(re.split(rb"(?:^|\r\n)[0-9a-f]+\r\n", body))
    head = _STANDING.sub(b"", head)
    return _OWN.sub(b"", head) + b"\r\n\r\n" + _OWN.sub(b"", body)


BODIES = {
    "an answer": (json.dumps(message()).encode(), None),
    "a stream": (json.dumps(message(stream=True)).encode(), None),
    "no JSON": (b"{", None),
    "no body": (b"", None),
    "a key twice": (b'{"model":"claude-haiku-4-5","model":"x"}', None),
    "a model without a price": (json.dumps(message(model="gpt-unknown")).encode(), None),
    "no key": (json.dumps(message()).encode(), ""),
    "a wrong key": (json.dumps(message()).encode(), "sk-cr-wrong"),
    "an error of the upstream": (b'{"model":"claude-haiku-4-5","max_tokens":5}', None),
}


@pytest.mark.parametrize("name", BODIES)
async def test_both_ways_give_the_same_bytes(service: Service, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body, key = BODIES[name]
    count = handed_over(monkeypatch)
    async with connected(service) as plain, connected(service) as odd:
        plain.writer.write(request(service, body, key=key))
        first = await plain.answer()
        assert not count
        odd.writer.write(request(service, body, ODD, key=key))
        second = await odd.answer()
        assert count
    assert comparable(first) == comparable(second)


async def test_a_connection_is_handed_over_between_two_requests_and_stays_there(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = handed_over(monkeypatch)
    async with connected(service) as wire:
        for more, handed in (((), 0), ((), 0), ((ODD,), 1), ((), 1)):
            wire.writer.write(request(service, None, *more))
            assert (await wire.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
            assert len(count) == handed


@pytest.mark.parametrize("more", [(), (ODD,)])
async def test_a_request_may_come_one_byte_at_a_time(service: Service, more: tuple[str, ...]) -> None:
    async with connected(service) as wire:
        for byte in request(service, None, *more):
            wire.writer.write(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await wire.answer()).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_requests_sent_ahead_are_answered_in_order(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    count = handed_over(monkeypatch)
    wrong = request(service, b"{")
    async with connected(service) as wire:
        wire.writer.write(
            request(service) + wrong + request(service, stream=True) + wrong + request(service, None, ODD)
        )
        statuses = [(await wire.answer()).split()[1] for _ in range(5)]
    assert statuses == [b"200", b"400", b"200", b"400", b"200"]
    assert len(count) == 1


async def test_an_answer_before_the_end_of_the_body_leaves_the_connection_usable(service: Service) -> None:
    data = request(service, json.dumps(message("x" * 5000)).encode(), key="sk-cr-wrong")
    async with connected(service) as wire:
        wire.writer.write(data[:-2000])
        assert b" 401 " in await wire.answer()
        wire.writer.write(data[-2000:] + request(service))
        assert (await wire.answer()).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_nothing_of_a_finished_request_hangs_on_its_connection(service: Service) -> None:
    async with connected(service) as wire:
        wire.writer.write(request(service))
        await wire.answer()
        gc.collect()
        assert [item for item in gc.get_objects() if isinstance(item, Turn)] == []
        (connection,) = [item for item in gc.get_objects() if isinstance(item, Connection)]
        held = [item for item in gc.get_referents(connection) if isinstance(item, bytes | str | list) and item]
        assert held == []


async def test_a_client_that_reads_nothing_stops_the_upstream_and_not_the_service(service: Service) -> None:
    # More than all buffers on the way hold together.
    service.simulator.script(next=Scripted.message_stream("word " * 400_000))
    async with connected(service) as slow, connected(service) as other:
        slow.reader._transport.pause_reading()  # type: ignore[attr-defined]  # nothing public stops reading
        slow.writer.write(request(service, stream=True))
        await asyncio.sleep(1)
        other.writer.write(request(service))
        assert (await other.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
        slow.reader._transport.resume_reading()  # type: ignore[attr-defined]
        body = b""
        async with asyncio.timeout(30):
            while not body.endswith(b"\r\n0\r\n\r\n"):
                piece = await slow.reader.read(1 << 20)
                assert piece
                body = (body + piece)[-200:]
    assert b"message_stop" in body


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
async def test_a_client_that_leaves_with_half_a_request_leaves_nothing_behind(service: Service, share: float) -> None:
    data = request(service)
    async with connected(service) as wire:
        wire.writer.write(data[: int(len(data) * share)])
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    assert len(service.simulator.ledger) == 0
    assert service.running.parts.places.under_way == 0
    assert service.running.parts.credit.holds.open == 0


@pytest.mark.parametrize("pieces", [0, 1, 5])
async def test_a_client_that_leaves_a_stream_frees_all_that_it_held(service: Service, pieces: int) -> None:
    service.simulator.script(next=Scripted.message_stream("words " * 50, delay_s=0.05))
    async with connected(service) as wire:
        wire.writer.write(request(service, stream=True))
        await until(lambda: service.running.parts.places.under_way == 1)
        for _ in range(pieces):
            await wire.reader.readuntil(b"\n\n")
        wire.writer.transport.abort()
        parts = service.running.parts
        await until(lambda: parts.places.under_way == 0 and parts.credit.holds.open == 0)
    lines = [json.loads(line) for line in service.out.getvalue().splitlines()]
    assert [line["status"] for line in lines if line["event"] == "answered"] == [499]
    # What was reported until then is recorded; whether there was anything before the first byte is a matter of time.
    assert len(await service.settled("usage")) in ((1,) if pieces else (0, 1))
