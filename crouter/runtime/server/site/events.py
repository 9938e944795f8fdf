"""Tells today's figures of an account as they happen, as server-sent events, while somebody looks.

A stream is looked after: it says something at least every few seconds, it ends when its session does, and when the
service stops it ends at once. Each event names what it tells by an id; whoever comes back with the last one hears
nothing until something is different.
"""

import hashlib
import json
import time
from typing import Final

from aiohttp import web

from crouter.runtime.dashboard.live import Away, LiveUsage, Told, TooManyStreamsError, news
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, StreamReply
from crouter.runtime.server.site.figures import figures
from crouter.runtime.server.site.route import SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.headers import Headers, page_headers

PATH: Final = "/dashboard/events"
SESSION_SECONDS: Final = 3.0
"""How often a session is asked whether it still lasts."""
BEAT_SECONDS: Final = 15.0
RETRY_MILLISECONDS: Final = 3000
END: Final = b"event: end\ndata: {}\n\n"
BEAT: Final = b": still here\n\n"
LAST_ID_CHARS_MAX: Final = 64


class Events:
    """Answers GET of `/dashboard/events`."""

    def __init__(self, parts: Parts, live: LiveUsage) -> None:
        self._parts = parts
        self._live = live
        self._headers: Headers = page_headers(parts.deployment.web)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("dashboard_events", exactly(PATH), ("GET",), self.answer),)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The stream. For nobody that is signed in 204, which tells a browser not to come back."""
        try:
            visitor = await self._parts.visitors.of(exchange)
        except DatabaseError:
            return self._refused(503)
        if visitor is None:
            return self._refused(204)
        try:
            with self._live.watching(visitor.account, visitor.session) as watch:
                reply = StreamReply(headers=self._stream_headers())
                await reply.prepare(exchange.request)
                await reply.write(b"retry: %d\n\n" % RETRY_MILLISECONDS)
                last = exchange.request.headers.get("last-event-id", "")[:LAST_ID_CHARS_MAX]
                told_at = asked_at = time.monotonic()
                async for told in news(self._live, watch, SESSION_SECONDS):
                    now = time.monotonic()
                    if now - asked_at >= SESSION_SECONDS:
                        asked_at = now
                        if not await self._lasts(exchange, visitor):
                            await reply.write(END)
                            break
                    text = b"" if told is None else event(told)
                    name = text[: text.find(b"\n")].removeprefix(b"id: ").decode()
                    if text and name != last:
                        last, told_at = name, now
                        await reply.write(text)
                    elif now - told_at >= BEAT_SECONDS:
                        told_at = now
                        await reply.write(BEAT)
                await reply.write_eof()
                return reply
        except TooManyStreamsError:
            return self._refused(429)

    async def _lasts(self, exchange: Exchange, visitor: Visitor) -> bool:
        """Whether the session still lasts. While the database is away, what was known goes on."""
        try:
            found = await self._parts.visitors.of(exchange)
        except DatabaseError:
            return True
        return found is not None and found.session == visitor.session

    def _refused(self, status: int) -> Reply:
        more = (("retry-after", "10"),) if status in (429, 503) else ()
        return Reply(status=status, headers=[*self._headers, ("cache-control", "no-store"), *more])

    def _stream_headers(self) -> list[tuple[str, str]]:
        return [
            *self._headers,
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-store"),
            # Said to proxies that collect an answer before they pass it on.
            ("x-accel-buffering", "no"),
        ]


def event(told: Told) -> bytes:
    """One event. Its id is made of what it tells, so that the same is told under the same id by every process."""
    name, data = ("away", {}) if isinstance(told, Away) else ("usage", figures(told))
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    identity = hashlib.sha256(f"{name} {text}".encode()).hexdigest()[:16]
    return f"id: {identity}\nevent: {name}\ndata: {text}\n\n".encode()
