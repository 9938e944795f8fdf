"""/account/privacy: what is held about the reader, a copy of it, corrections, objections, and open requests."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from crouter.runtime.copies.job import JOB as COPIES_JOB
from crouter.runtime.copies.pieces import PiecesLostError
from crouter.runtime.copies.store import CopyRow, NoSuchCopyError
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.purposes import require_purpose
from crouter.runtime.requests.calendar import last_day
from crouter.runtime.requests.held import NAME_CHARS_MAX, HeldCategory, HeldData, NameRefusedError
from crouter.runtime.requests.openings import open_copy
from crouter.runtime.requests.states import Request
from crouter.runtime.rights import Rights
from crouter.runtime.sealing import SealError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.form import SignedInAnswerer, read_form, see_other, signed_in
from crouter.runtime.server.site.notices import HOME, Notice, Notices, Way
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor

PATH: Final = "/account/privacy"
_COPY: Final = re.compile(re.escape(PATH) + r"/copies/([0-9a-f-]{36})")
_BACK: Final = Way(PATH, "Your data")

KIND_WORDS: Final = {
    "copy": "a copy of your data",
    "correction": "a correction",
    "deletion": "deletion of your account",
    "objection": "an objection",
}
STATE_WORDS: Final = {
    "received": "received",
    "acknowledged": "being worked on",
    "extended": "takes longer",
    "answered": "answered",
    "refused": "refused",
    "withdrawn": "taken back",
}
REASON_WORDS: Final = {
    "complex": "it is complex",
    "many_requests": "there are many requests",
    "identity_not_proven": "it is not certain who asked",
    "manifestly_unfounded": "it is manifestly unfounded",
    "excessive": "it is excessive",
    "rights_of_others": "it would touch the rights of others",
    "law_requires_keeping": "a law requires us to keep it",
    "no_such_data": "there is no such data",
}


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """One request in words."""

    what: str
    state: str
    is_open: bool
    received_at: datetime
    due_on: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ShownCopy:
    """One copy that can be taken, or will be."""

    path: str
    state: str
    percent: int
    size_kib: int
    until: datetime


@dataclass(frozen=True, slots=True)
class PrivacyView:
    """Everything that the page says."""

    held: Sequence[HeldCategory]
    copies: Sequence[ShownCopy]
    is_making: bool
    requests: Sequence[ShownRequest]
    name: str | None
    name_chars_max: int
    formats: str
    deadline_days: str


class PrivacyCentre:
    """Answers for the page and its forms."""

    def __init__(self, parts: Parts, pages: SitePages, rights: Rights) -> None:
        self._parts, self._pages, self._rights = parts, pages, rights
        self._notices = Notices(parts)
        self._held = HeldData(parts.deployment, parts.database, rights.requests)

    def routes(self) -> tuple[SiteRoute, ...]:
        def route(path: str, methods: tuple[str, ...], answer: SignedInAnswerer) -> SiteRoute:
            return SiteRoute("privacy_centre", exactly(path), methods, signed_in(self._parts, answer))

        return (
            route(PATH, READING, self._page),
            route(f"{PATH}/copies", SENDING, self._ask_copy),
            SiteRoute("privacy_copy", _COPY, SENDING, signed_in(self._parts, self._take_copy)),
            route(f"{PATH}/name", SENDING, self._correct),
            route(f"{PATH}/objection", SENDING, self._object),
        )

    async def _page(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        now, account = datetime.now(UTC), visitor.account
        copies = [_shown_copy(copy, self._rights) for copy in await self._rights.copies.of(account, now)]
        requests = await self._rights.requests.of(account)
        view = PrivacyView(
            held=await self._held.counts(account),
            copies=[copy for copy in copies if copy is not None],
            is_making=any(copy is not None and copy.state != "ready" for copy in copies),
            requests=[_shown_request(request) for request in requests],
            name=await self._name(account),
            name_chars_max=NAME_CHARS_MAX,
            formats=", ".join(name.upper() for name in self._parts.deployment.requests.formats),
            deadline_days=_period_words(self._parts),
        )
        return self._pages.reply(exchange, "privacy_centre.html.jinja", view, visitor)

    async def _name(self, account: uuid.UUID) -> str | None:
        if not self._held.can_correct_name:
            return None
        name = await self._parts.reader.field("account", "name", "authentication", key=account)
        return str(name or "")

    async def _ask_copy(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        await open_copy(self._rights, visitor.account, "page", datetime.now(UTC), COPIES_JOB)
        return see_other(f"{PATH}#copies")

    async def _take_copy(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        match = _COPY.fullmatch(exchange.path)
        assert match is not None, "the route matched"
        now = datetime.now(UTC)
        try:
            copy = uuid.UUID(match[1])
            opener, size = await self._rights.copies.take(visitor.account, copy, now)
        except (NoSuchCopyError, ValueError, SealError):
            return self._notices.page(exchange, _NO_COPY, visitor, status=404)
        response = web.StreamResponse(
            headers={
                "content-type": "application/zip",
                "content-disposition": f'attachment; filename="data-{now:%Y-%m-%d}.zip"',
                "content-length": str(size),
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
            }
        )
        try:
            await response.prepare(exchange.request)
            async for part in self._rights.copies.parts(copy, opener, size):
                await response.write(part)
            await response.write_eof()
        except BaseException as error:
            # Whoever took it has not got it whole.
            await self._rights.copies.give_back(copy)
            if isinstance(error, (PiecesLostError, SealError, DatabaseError)):
                raise ConnectionResetError from None
            raise
        await self._rights.copies.taken(copy)
        return response

    async def _correct(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        form = await read_form(exchange, visitor)
        if not self._held.can_correct_name:
            return self._notices.page(exchange, _NO_COPY, visitor, status=404)
        require_purpose(self._parts.deployment.record("account"), ("name",), "authentication")
        try:
            await self._held.correct_name(visitor.account, form.get("name", ""), datetime.now(UTC))
        except NameRefusedError as refusal:
            notice = Notice("That was not kept", (f"It {str(refusal)[2:]}.",), (_BACK,))
            return self._notices.page(exchange, notice, visitor, status=400)
        return see_other(f"{PATH}#details")

    async def _object(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        await self._rights.requests.opened(visitor.account, "objection", "page", datetime.now(UTC))
        return see_other(f"{PATH}#requests")


_NO_COPY: Final = Notice(
    "There is no such copy",
    ("It was taken already, its time is over, or it is not ready.", "You can ask for a new one at any time."),
    (_BACK, HOME),
)


def _shown_copy(copy: CopyRow, rights: Rights) -> ShownCopy | None:
    if copy.state not in ("waiting", "making", "ready"):
        return None
    path, until = f"{PATH}/copies/{copy.id}", rights.copies.until(copy.made_at)
    return ShownCopy(path, copy.state, copy.percent, -(-copy.size_bytes // 1024), until)


def _shown_request(request: Request) -> ShownRequest:
    due = last_day(request.due_at)
    return ShownRequest(
        what=KIND_WORDS[request.kind],
        state=STATE_WORDS[request.state],
        is_open=request.is_open,
        received_at=request.received_at,
        due_on=datetime(due.year, due.month, due.day, tzinfo=UTC),
        reason=REASON_WORDS.get(request.reason or "", ""),
    )


def _period_words(parts: Parts) -> str:
    period = parts.deployment.requests.deadline
    counted = [(period.months, "month"), (period.days, "day"), (period.seconds // 3600, "hour")]
    words = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in counted if count]
    return " and ".join(words)
