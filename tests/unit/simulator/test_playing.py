"""Scripted faults, seen from a bare socket: what is on the wire is what the test wrote."""

import asyncio
import gzip
import json
from contextlib import closing

import pytest

from crouter.simulator import Hangup, Reset, Scripted, Simulator, Stall, Wait

BODY = json.dumps(
    {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]}
).encode()


async def opened(simulator: Simulator, body: bytes = BODY) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which one Messages request was sent."""
    port = int(simulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: s\r\nX-Api-Key: {simulator.upstream_key}\r\n"
        f"anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    return reader, writer


async def exchange(simulator: Simulator) -> tuple[bytes, bytes]:
    """Head and body of the answer, until the simulator closes or a moment passes in silence."""
    reader, writer = await opened(simulator)
    received = b""
    with closing(writer):
        while True:
            try:
                async with asyncio.timeout(0.5):
                    data = await reader.read(65536)
            except TimeoutError:
                break
            if not data:
                break
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


async def test_status_headers_and_body_go_out_as_written(simulator: Simulator) -> None:
    simulator.script(next=Scripted.raw(418, b"\x00\xffbytes", {"x-odd": "é"}))
    head, body = await exchange(simulator)
    assert head.startswith(b"HTTP/1.1 418 ")
    assert "x-odd: é".encode() in head.lower()
    assert body == b"\x00\xffbytes"


async def test_event_bytes_keep_their_cuts(simulator: Simulator) -> None:
    parts = [b"event: pi", b"ng\ndata: {}\r\n", b"\r\n"]
    simulator.script(next=Scripted.stream(parts, delay_s=0.01))
    _, body = await exchange(simulator)
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    assert body == chunks + b"0\r\n\r\n"
    assert simulator.ledger[-1].outcome == "complete"


async def test_the_head_is_there_before_a_late_first_byte(simulator: Simulator) -> None:
    simulator.script(next=Scripted.stream([Wait(1), b"late"]))
    reader, writer = await opened(simulator)
    with closing(writer):
        async with asyncio.timeout(0.8):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_reset_comes_after_the_bytes_before_it(simulator: Simulator) -> None:
    simulator.script(next=Scripted.stream([b"data: {}\n\n", Reset()]))
    reader, writer = await opened(simulator)
    with closing(writer):
        await reader.readuntil(b"data: {}\n\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
    await simulator.ledger.settled()
    assert simulator.ledger[-1].outcome == "broken_off"


async def test_a_hangup_leaves_a_stream_without_its_end(simulator: Simulator) -> None:
    simulator.script(next=Scripted.stream([b"data: 1\n\n", Hangup()]))
    _, body = await exchange(simulator)
    assert body.endswith(b"data: 1\n\n\r\n")


@pytest.mark.parametrize("length", [3, 400])
async def test_a_content_length_may_lie_in_both_directions(simulator: Simulator, length: int) -> None:
    simulator.script(next=Scripted.raw(200, b"0123456789").with_content_length(length))
    head, body = await exchange(simulator)
    assert f"content-length: {length}".encode() in head
    assert body == b"0123456789"


async def test_a_hand_written_response_is_sent_verbatim(simulator: Simulator) -> None:
    simulator.script(next=Scripted.verbatim_http(b"HTTP/1.1 banana\r\n", Wait(0.01), b"\r\n"))
    head, body = await exchange(simulator)
    assert head + body == b"HTTP/1.1 banana"


async def test_an_encoded_body_is_labelled_and_its_usage_is_known(simulator: Simulator) -> None:
    simulator.script(next=Scripted.message("hello").encoded("gzip"))
    head, body = await exchange(simulator)
    assert b"content-encoding: gzip" in head.lower()
    assert json.loads(gzip.decompress(body))["content"][0]["text"] == "hello"
    usage = simulator.ledger[-1].usage
    assert usage is not None
    assert usage["input_tokens"] == 11


async def test_a_giant_line_arrives_whole(simulator: Simulator) -> None:
    giant = b"data: " + b"x" * 10_000_000 + b"\n\n"
    simulator.script(next=Scripted.stream([giant]))
    _, body = await exchange(simulator)
    assert body == f"{len(giant):x}\r\n".encode() + giant + b"\r\n0\r\n\r\n"


async def test_a_redirect_is_sent_and_nothing_else(simulator: Simulator) -> None:
    simulator.script(next=Scripted.redirect("http://elsewhere.invalid/"))
    head, body = await exchange(simulator)
    assert head.startswith(b"HTTP/1.1 307 ")
    assert b"location: http://elsewhere.invalid/" in head.lower()
    assert body == b""


async def test_usage_is_the_last_reported_even_when_the_stream_breaks(simulator: Simulator) -> None:
    script = Scripted.message_stream(start_usage={"input_tokens": 9, "novel_units": 4}, keep=3, then=[Reset()])
    simulator.script(next=script)
    with pytest.raises(ConnectionResetError):
        await exchange(simulator)
    await simulator.ledger.settled()
    usage = simulator.ledger[-1].usage
    assert usage is not None
    assert (usage["input_tokens"], usage["novel_units"], usage["output_tokens"]) == (9, 4, 1)


async def test_a_client_that_leaves_is_noticed_at_once(simulator: Simulator) -> None:
    simulator.script(next=Scripted.message_stream(keep=3, then=[Stall()]))
    reader, writer = await opened(simulator)
    await reader.readuntil(b"message_start")
    writer.close()
    await simulator.ledger.settled(timeout_s=1)
    attempt = simulator.ledger[-1]
    assert attempt.outcome == "client_left"
    assert attempt.ended_after_s is not None
    assert attempt.ended_after_s < 1


async def test_a_stall_does_not_keep_the_simulator_from_stopping(simulator: Simulator) -> None:
    simulator.script(next=Scripted.stream([Stall()]))
    reader, writer = await opened(simulator)
    with closing(writer):
        await reader.readline()
        assert simulator.ledger[-1].outcome == "open"
        # The fixture ends the simulator now; a stall that held on would hang the test.
