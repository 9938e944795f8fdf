"""Plays a reply on one connection, and notes in the attempt what was really handed over."""

import asyncio
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from crouter.simulator.ledger import Attempt
from crouter.simulator.reply import Hangup, Reply, Reset, Send, Stall, Step, Wait
from crouter.simulator.reported import ReportedUsage

# SO_LINGER with a time of zero: closing sends RST instead of FIN.
_LINGER_NONE = struct.pack("ii", 1, 0)
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class BrokenOffError(Exception):
    """The reply itself ended the connection, as it was told to."""


async def play(request: web.Request, reply: Reply, attempt: Attempt) -> web.StreamResponse:
    """Send the reply. Raises BrokenOffError after a reset, a hangup or hand-written framing, and
    ConnectionError or CancelledError when the client has left."""
    attempt.status = reply.status
    kind = {name.lower(): value for name, value in reply.headers}.get("content-type", "")
    tap = ReportedUsage(streamed=kind.startswith("text/event-stream"))
    try:
        if reply.verbatim or reply.content_length is not None:
            await _play_by_hand(request, reply, attempt, tap)
            raise BrokenOffError
        return await _play_framed(request, reply, attempt, tap)
    finally:
        attempt.usage = tap.usage


async def _play_framed(request: web.Request, reply: Reply, attempt: Attempt, tap: ReportedUsage) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status)
    response.headers.extend(reply.headers)
    if reply.chunked:
        response.enable_chunked_encoding()
    elif reply.status not in _BODILESS:
        response.content_length = len(reply.body)
    await response.prepare(request)
    # aiohttp holds the head back until there is a body to send with it.
    await response.write(b"")
    for step in reply.steps:
        if isinstance(step, Send):
            await response.write(step.data)
            _note(step, attempt, tap)
        else:
            await _act(request, step)
    await response.write_eof()
    tap.finish()
    return response


async def _play_by_hand(request: web.Request, reply: Reply, attempt: Attempt, tap: ReportedUsage) -> None:
    """Write bytes past aiohttp's framing, which would mend what is broken on purpose."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    if not reply.verbatim:
        transport.write(_head(reply))
    for step in reply.steps:
        if isinstance(step, Send):
            if transport.is_closing():
                raise ConnectionResetError
            transport.write(step.data)
            _note(step, attempt, tap)
            # Let the client's leaving be noticed between two writes.
            await asyncio.sleep(0)
        else:
            await _act(request, step)
    tap.finish()
    transport.close()


def _head(reply: Reply) -> bytes:
    phrase = next((s.phrase for s in HTTPStatus if s == reply.status), "")
    lines = [f"HTTP/1.1 {reply.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += [f"content-length: {reply.content_length}", "connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _note(step: Send, attempt: Attempt, tap: ReportedUsage) -> None:
    attempt.bytes_sent += len(step.data)
    tap.feed(step.data if step.plain is None else step.plain)
    attempt.usage = tap.usage


async def _act(request: web.Request, step: Step) -> None:
    match step:
        case Wait(seconds):
            await asyncio.sleep(seconds)
        case Stall():
            # Ended by cancellation alone: the client leaves or the simulator stops.
            await asyncio.Event().wait()
        case Reset(after_s):
            await asyncio.sleep(after_s)
            _break_off(request, reset=True)
        case Hangup():
            _break_off(request, reset=False)


def _break_off(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        transport.abort()
    else:
        transport.close()
    raise BrokenOffError
