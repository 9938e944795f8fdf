"""The status page, for people and under `.json` for programs: how each part of the service is."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from crouter.runtime.dashboard.status import (
    Check,
    PartStatus,
    ServiceStatus,
    State,
    database_check,
    offered_check,
    overall,
    proxy_check,
    retention_check,
    upstream_check,
)
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visiting import known_visitor
from crouter.runtime.web.headers import Headers, page_headers

PATH: Final = "/status"
TONES: Final = {"up": "good", "limited": "warn", "down": "bad", "off": ""}
WORDS: Final = {"up": "Works", "limited": "Partly", "down": "Down", "off": "Not offered"}
SUMMARIES: Final = {
    "up": "Everything works.",
    "limited": "Something does not work as it should; most requests are not affected.",
    "down": "A part of the service is down.",
}


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One part as the page draws it."""

    label: str
    tone: str
    words: str
    meaning: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the page says, as of a moment."""

    tone: str
    summary: str
    parts: tuple[ShownPart, ...]
    at: datetime


class StatusPages:
    """Answers GET and HEAD of `/status` and `/status.json`."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages
        self._headers: Headers = page_headers(parts.deployment.web)
        self._status = ServiceStatus(_checks(parts))

    def routes(self) -> tuple[SiteRoute, ...]:
        return (
            SiteRoute("status", exactly(PATH), READING, self._page),
            SiteRoute("status", exactly(f"{PATH}.json"), READING, self._json),
        )

    async def _page(self, exchange: Exchange) -> web.StreamResponse:
        visitor = await known_visitor(self._parts, exchange)
        found = await self._status.parts()
        state = overall(found)
        shown = tuple(ShownPart(part.label, TONES[part.state], WORDS[part.state], part.meaning) for part in found)
        view = StatusView(TONES[state], SUMMARIES[state], shown, exchange.received_at)
        return self._pages.reply(exchange, "status.html.jinja", view, visitor)

    async def _json(self, exchange: Exchange) -> web.StreamResponse:
        del exchange
        found = await self._status.parts()
        headers = [*self._headers, ("content-type", "application/json"), ("cache-control", "no-store")]
        return Reply(headers=headers, body=_body(overall(found), found))


def _checks(parts: Parts) -> tuple[Check, ...]:
    deployment, settings = parts.deployment, parts.settings
    signs_in = settings.identity.supabase is not None or settings.development_account is not None
    return (
        proxy_check(),
        upstream_check(parts.keys, deployment.processor(deployment.proxy.upstream).label),
        database_check(parts.database),
        offered_check("sign_in", "Sign-in", is_offered=signs_in, meaning="People can sign in."),
        offered_check("payments", "Top-ups", is_offered=parts.payments is not None, meaning="Credit can be bought."),
        retention_check(parts.heartbeat),
    )


def _body(state: State, found: tuple[PartStatus, ...]) -> bytes:
    told = {
        "status": state,
        "parts": [
            {"name": part.name, "label": part.label, "status": part.state, "meaning": part.meaning} for part in found
        ],
    }
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()
