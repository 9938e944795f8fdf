"""The upstream breaks off, splits, stalls, answers with what is no HTTP, points elsewhere or says too much."""

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from tests.torture import answers
from tests.torture.comparison import OWN_EVENT
from tests.torture.journals import Headers, Saw
from tests.torture.upstream import Plan, Script, Then, message_script, stream_script
from tests.torture.world import World

TOGETHER = 16
_UPSTREAM_KEYS: Final = 400
_REST_SECONDS: Final = 40
_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
_CHUNKED: Final = _OK + b"transfer-encoding: chunked\r\n\r\n"
# Heads that must not be believed. Each is followed by bytes that look like a good body.
MALFORMED_HEADS: Final[dict[str, bytes]] = {
    "no status line": b"hello\r\n\r\n",
    "nothing but line ends": b"\r\n\r\n\r\n\r\n",
    "a version of another protocol": b"HTTP/9.9 200 OK\r\ncontent-length: 5\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\ncontent-length: 5\r\n\r\n",
    "a negative length": _OK + b"content-length: -5\r\n\r\n",
    "a length that is no number": _OK + b"content-length: five\r\n\r\n",
    "two lengths": _OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
    "a length beyond all bounds": _OK + b"content-length: " + b"9" * 40 + b"\r\n\r\n",
    "a header without a colon": _OK + b"nonsense\r\ncontent-length: 5\r\n\r\n",
    "a NUL in a header": _OK + b"x-a: b\0c\r\ncontent-length: 5\r\n\r\n",
    "a header name with a space": _OK + b"x a: b\r\ncontent-length: 5\r\n\r\n",
    "a header of a megabyte": _OK + b"x-a: " + b"a" * 1_000_000 + b"\r\ncontent-length: 5\r\n\r\n",
    "headers without end": _OK + b"x-a: b\r\n" * 100_000,
    "a chunk size that is no number": _CHUNKED + b"zz\r\n",
    "a negative chunk size": _CHUNKED + b"-5\r\n",
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
    "bytes of HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",
    "bytes of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


async def play_breaking_off(world: World) -> None:
    """Reset, closed too early: everywhere in the answer, whatever its framing."""
    plans: list[Plan] = []
    stream = sum(map(len, answers.stream(16)))
    for framing in ("chunked", "length", "close"):
        for then in ("reset", "close"):
            for cut in _places(world, stream):
                plans.append(_broken(stream_script, cut, then, framing))
            for cut in _places(world, len(answers.message(16))):
                plans.append(_broken(message_script, cut, then, framing))
    saws = await _ask_all(world, plans)
    world.tell(f"broke off {len(plans)} times")
    if any(saw.whole and saw.status == 200 and not _is_whole(saw) for saw in saws):
        raise world.fails("nothing is made to look whole")
    await _still_serves(world)


async def play_splitting(world: World) -> None:
    """Every byte a write of its own, and every place at which two writes can meet."""
    whole = b"".join(answers.stream(16))
    plans: list[Plan] = [lambda identity: Script(_bytes(b"".join(answers.stream(identity))))]
    plans += [lambda identity: replace(message_script(identity), pieces=_bytes(answers.message(identity)))]
    plans += [_in_two(cut) for cut in range(1, len(whole), world.amount(31, 1))]
    plans += [_with_line_ends(end) for end in (b"\r\n", b"\r", b"\n")]
    saws = await _ask_all(world, plans)
    if not all(saw.whole for saw in saws):
        raise world.fails("an answer that is split is whole")


async def play_malformed_answers(world: World) -> None:
    """What is no HTTP gets 502 of ours, or ends the connection; ill-formed events pass as they are."""
    for name, head in MALFORMED_HEADS.items():
        try:
            saw = await _admitted(world, _headed(head), seconds=10)
        except TimeoutError:
            raise world.fails("what is no HTTP is answered with 502", f"{name}: not answered") from None
        # A body that turns out to be ill-framed behind a good head can only be broken off.
        if not (saw.is_ours and saw.status == 502) and not (head.startswith(_CHUNKED) and not _looks_whole(saw)):
            raise world.fails("what is no HTTP is answered with 502", f"{name}: {saw.status}")
    await _still_serves(world)
    saws = await _ask_all(world, [_with_events(events) for events in _odd_events(world)])
    if not all(saw.whole for saw in saws):
        raise world.fails("odd events pass")
    await _interim_answers(world)
    await _unasked_for(world)


async def play_redirects(world: World) -> None:
    """A redirect is the client's to follow: nothing of the request goes anywhere else."""
    for status in (301, 302, 303, 307, 308):
        for place in ("/elsewhere", f"{world.upstream.url}/elsewhere", "http://169.254.169.254/", "//example.org/"):
            asked = len(world.upstream.asked)
            saw = await world.ask(_redirecting(status, place))
            if saw.status != status or len(world.upstream.asked) != asked + 1:
                raise world.fails("a redirect is not followed", f"status {saw.status}")


async def play_compression(world: World) -> None:
    """Coded answers reach the client as they are; what can be read is metered, the rest raises an alarm."""
    plans = [_coded(coding, kind) for coding in ("gzip", "deflate", "br", "zstd") for kind in (True, False)]
    plans += [_broken_coding(cut) for cut in range(1, 200, world.amount(40, 1))]
    saws = await _ask_all(world, plans)
    if any(saw.header("content-encoding") is None for saw in saws if not saw.is_ours):
        raise world.fails("a coded answer stays coded")


async def play_statuses(world: World) -> None:
    """The upstream's own errors reach the client byte for byte, with and without usage."""
    told = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_up"}'
    plans: list[Plan] = [_failing(status, told) for status in (400, 401, 403, 404, 413, 422, 429, 500, 502, 503, 529)]
    plans += [_failing(500, b""), _failing(500, b"<html>"), lambda identity: _failing_late(identity, told)]
    plans += [lambda identity: replace(message_script(identity), status=500)]
    await _ask_all(world, plans)


async def _ask_all(world: World, plans: list[Plan]) -> list[Saw]:
    turns = asyncio.Semaphore(TOGETHER)

    async def one(plan: Plan) -> Saw:
        async with turns:
            return await _admitted(world, plan)

    saws = await asyncio.gather(*map(one, plans))
    await world.compare()
    return saws


@contextlib.contextmanager
def many_upstream_keys() -> Iterator[dict[str, str]]:
    """So many keys that there is always one which has not seen faults lately: a fault is met, and not avoided."""
    yield {"ANTHROPIC_API_KEY": ",".join(f"sk-ant-torture-{number}" for number in range(_UPSTREAM_KEYS))}


async def _admitted(world: World, plan: Plan, seconds: float = 60.0) -> Saw:
    """Asks again while the service says that the upstream has to rest."""
    saw = await world.ask(plan, seconds=seconds)
    for _ in range(_REST_SECONDS):
        if not (saw.is_ours and saw.status == 529):
            break
        await asyncio.sleep(1)
        saw = await world.ask(plan, seconds=seconds)
    return saw


async def _still_serves(world: World) -> None:
    saw = await _admitted(world, stream_script)
    if not (saw.whole and saw.status == 200):
        raise world.fails("the service goes on", f"status {saw.status}")


async def _interim_answers(world: World) -> None:
    for before in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 20):
        saw = await world.ask(_preceded(before))
        if not (saw.whole and saw.status == 200):
            raise world.fails("interim answers are passed over", f"status {saw.status}")


async def _unasked_for(world: World) -> None:
    """Bytes behind the end look like the answer to the next request, and must reach nobody."""
    planted = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-upstream-serial: 999999\r\ncontent-length: 2\r\n\r\n{}"
    )
    for script in (stream_script, message_script):
        for _ in range(world.amount(5, 200)):
            await world.ask(_followed(script, planted))
            saw = await world.ask()
            if saw.header("x-upstream-serial") not in (str(saw.serial), None):
                raise world.fails("an answer nobody asked for reaches nobody")


def _preceded(before: bytes) -> Plan:
    return lambda identity: Script(answers.stream(identity), before=before)


def _followed(script: Plan, after: bytes) -> Plan:
    return lambda identity: replace(script(identity), after=after)


def _places(world: World, length: int) -> list[int]:
    if world.long:
        return list(range(length))
    return [0, 1, *sorted(world.chance.randrange(length) for _ in range(4)), length - 40, length - 1]


def _broken(script: Plan, cut: int, then: Then, framing: str) -> Plan:
    kind: Literal["chunked", "length", "close"] = (
        "chunked" if framing == "chunked" else "length" if framing == "length" else "close"
    )
    # Without a length and without chunks the end of the connection is the end of the answer: only a reset breaks it.
    then = "reset" if kind == "close" else then
    return lambda identity: replace(script(identity), cut_at=cut, then=then, framing=kind)


def _is_whole(saw: Saw) -> bool:
    return b"message_stop" in saw.body or b"event: error" in saw.body


def _looks_whole(saw: Saw) -> bool:
    return saw.whole and OWN_EVENT not in saw.body


def _bytes(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + 1] for at in range(len(data)))


def _in_two(cut: int) -> Plan:
    def plan(identity: int) -> Script:
        body = b"".join(answers.stream(identity))
        return Script((body[:cut], body[cut:]))

    return plan


def _with_line_ends(end: bytes) -> Plan:
    return lambda identity: Script(tuple(event.replace(b"\n", end) for event in answers.stream(identity)))


def _headed(head: bytes) -> Plan:
    return lambda identity: Script(answers.stream(identity), head=head, then="close")


def _with_events(events: tuple[bytes, ...]) -> Plan:
    def plan(identity: int) -> Script:
        first, *rest = answers.stream(identity)
        return Script((first, *events, *rest))

    return plan


def _odd_events(world: World) -> list[tuple[bytes, ...]]:
    giant = answers.text("x" * world.amount(2_000_000, 20_000_000))
    return [
        (b"event: message_delta\ndata: {\n\n",),
        (b"event: message_delta\ndata: []\n\n", b"event: message_delta\n\n", b"data:\n\n"),
        (b'data: {"type":"message_delta","usage":{"output_tokens":5}}\n\n',),
        (b"event: message_delta\ndata: " + b"[" * 100_000 + b"\n\n",),
        (b"event: unheard_of\ndata: {}\n\n", b": a comment\n\n", b"id: 1\nretry: 5\n\n"),
        (b"\n" * 1000, b"\xff\xfe\n\n", b"\0\n\n"),
        (b"event: content_block_delta\ndata: " + b"x" * 300_000 + b"\n\n",),
        (giant,),
        (b"x" * 1_000_000 + b"\n\n",),
        (b"event: " + b"e" * 1_000_000 + b"\n\n",),
        (b'event: message_delta\ndata: {"type":"message_delta",\ndata: "usage":{"output_tokens":6}}\n\n',),
    ]


def _redirecting(status: int, place: str) -> Plan:
    headers: Headers = (("location", place),)
    return lambda identity: Script((b"{}",), status, answers.JSON, framing="length", headers=headers)


def _coded(coding: str, as_stream: bool) -> Plan:
    def plan(identity: int) -> Script:
        plain = stream_script(identity) if as_stream else message_script(identity)
        body = b"".join(plain.pieces)
        # Codings that are not read need no more than bytes that nobody can read.
        packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body) if coding == "deflate" else body[::-1]
        return replace(plain, pieces=tuple(packed[at : at + 50] for at in range(0, len(packed), 50)), coding=coding)

    return plan


def _broken_coding(cut: int) -> Plan:
    def plan(identity: int) -> Script:
        packed = gzip.compress(b"".join(answers.stream(identity)))
        return Script((packed[:cut], b"\xff" * 20), coding="gzip")

    return plan


def _failing(status: int, told: bytes) -> Plan:
    return lambda identity: Script((told,), status, answers.JSON, framing="length", headers=(("retry-after", "1"),))


def _failing_late(identity: int, told: bytes) -> Script:
    return Script((*answers.stream(identity)[:5], b"event: error\ndata: " + told + b"\n\n"))
