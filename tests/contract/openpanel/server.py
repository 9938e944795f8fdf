"""OpenPanel as its documentation describes it: takes events at `/track`, and derives what it would from a request.

From https://openpanel.dev/docs/api/track: client id and secret are headers; `x-client-ip` locates a visitor and
`user-agent` names a device. What it could learn of either is kept here, so that a test can look for it.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

CLIENT_ID = "f5a8c2de-1f6b-4f57-9f9a-2b7f5b0d7c11"
CLIENT_SECRET = "sec_canary0000000001"
# Where OpenPanel looks for an address, most trusted first.
ADDRESS_HEADERS = ("openpanel-client-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip", "x-forwarded-for",
                   "x-real-ip", "fastly-client-ip", "forwarded")  # fmt: skip


@dataclass(frozen=True)
class Received:
    """One request: what it said, and every header that came with it."""

    kind: str
    payload: dict[str, Any]
    headers: dict[str, str]
    raw: bytes

    @property
    def tells_who(self) -> dict[str, str]:
        """Headers from which a person, a device or a place could be derived."""
        telling = {*ADDRESS_HEADERS, "user-agent", "referer", "origin", "cookie", "accept-language"}
        return {name: value for name, value in self.headers.items() if name in telling}


@dataclass
class OpenPanel:
    """A project with one client. `status` replaces the answer, to be away."""

    status: int = 202
    received: list[Received] = field(default_factory=list)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and properties of tracked events, in the order they came."""
        return [(one.payload["name"], one.payload.get("properties", {})) for one in self.received]

    async def _track(self, request: web.Request) -> web.Response:
        if request.headers.get("openpanel-client-id") != CLIENT_ID:
            return web.json_response({"status": 401, "error": "Unauthorized"}, status=401)
        if request.headers.get("openpanel-client-secret") != CLIENT_SECRET:
            return web.json_response({"status": 401, "error": "Unauthorized"}, status=401)
        raw = await request.read()
        said = json.loads(raw)
        if said.get("type") not in ("track", "identify", "alias", "increment", "decrement", "replay", "group"):
            return web.json_response({"status": 400, "error": "Invalid type"}, status=400)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(said["type"], said["payload"], headers, raw))
        if self.status >= 300:
            return web.Response(status=self.status)
        return web.json_response({"deviceId": "device", "sessionId": "session"}, status=self.status)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Gives its address."""
        application = web.Application()
        application.router.add_post("/track", self._track)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{site.port}"
        finally:
            await runner.cleanup()
