"""Reads the form that a page of ours has sent, and makes sure that it was a page of ours.

A browser says with `Sec-Fetch-Site` where a request was made. Older ones say it with `Origin`, which is `null` for our
own pages too, because they send no referrer; so what decides in the end is the form's token, which is bound to the
session and which no other site can read.
"""

import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from aiohttp import hdrs, web

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import is_local_name
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.notices import Notices
from crouter.runtime.server.site.route import READING, Answerer
from crouter.runtime.server.site.visitor import Visitor

FORM_TOKEN: Final = "form_token"  # noqa: S105  the name of a field
FORM_BYTES_MAX: Final = 64 * 1024
_FIELDS_MAX: Final = 500
_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"

SignedInAnswerer = Callable[[Exchange, Visitor], Awaitable[web.StreamResponse]]


class CrossSiteError(Exception):
    """The form was not sent by a page of ours to the person who is signed in."""


class BadFormError(Exception):
    """The body is not a form, or is too large for one. The message says which; nothing of it is quoted."""


_TOLD: Final = (CrossSiteError, BadFormError, DatabaseError)


class Form(Mapping[str, str]):
    """The fields of a form by name. Of fields with one name the last one counts; `all` gives every one."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields
        self._last = dict(fields)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of that name, in the order they came."""
        return tuple(value for found, value in self._fields if found == name)


async def read_form(exchange: Exchange, visitor: Visitor | None, *, bytes_max: int = FORM_BYTES_MAX) -> Form:
    """The fields of the form. `visitor` is None only where nobody has to be signed in, as for signing in.

    Raises CrossSiteError, BadFormError.
    """
    require_same_site(exchange)
    if exchange.request.content_type != _MEDIA_TYPE:
        raise BadFormError("the form is not encoded as forms are")
    body = await read_body(exchange.request, bytes_max)
    if isinstance(body, ErrorReply):
        raise BadFormError("the form is too large, or did not arrive whole")
    try:
        text = body.decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError:
        raise BadFormError("the form cannot be read") from None
    form = Form([(name, value) for name, value in fields if name != FORM_TOKEN])
    tokens = [value for name, value in fields if name == FORM_TOKEN]
    if visitor is not None and not (len(tokens) == 1 and _is_equal(tokens[0], visitor.form_token)):
        raise CrossSiteError
    return form


def require_same_site(exchange: Exchange) -> None:
    """Raises CrossSiteError for a request that the browser says was made by another site."""
    headers = exchange.request.headers
    told = headers.get("Sec-Fetch-Site")
    if told is not None:
        if told.strip().lower() != "same-origin":
            raise CrossSiteError
        return
    origin = headers.get(hdrs.ORIGIN)
    if origin is not None and origin != "null" and not _is_own(origin, exchange):
        raise CrossSiteError


def signed_in(parts: Parts, answer: SignedInAnswerer) -> Answerer:
    """`answer` for people who are signed in. Others are sent to sign in, or refused where they would change something.

    Of what `answer` raises, errors of forms and of the database become pages.
    """
    notices = Notices(parts)

    async def answered(exchange: Exchange) -> web.StreamResponse:
        visitor: Visitor | None = None
        try:
            visitor = await parts.visitors.of(exchange)
            if visitor is not None:
                return await answer(exchange, visitor)
        except _TOLD as error:
            return _page(notices, exchange, visitor, error)
        if exchange.request.method not in READING:
            return notices.signed_out(exchange)
        return see_other(f"/sign-in?next={quote(exchange.target, safe='')}")

    return answered


def open_to_all(parts: Parts, answer: Answerer) -> Answerer:
    """`answer` for everybody; of what it raises, errors of forms and of the database become pages."""
    notices = Notices(parts)

    async def answered(exchange: Exchange) -> web.StreamResponse:
        try:
            return await answer(exchange)
        except _TOLD as error:
            return _page(notices, exchange, None, error)

    return answered


def see_other(location: str, *headers: tuple[str, str]) -> Reply:
    """Sends the browser to another page of ours, by GET."""
    return Reply(status=303, headers=[("location", location), ("cache-control", "no-store"), *headers])


def _page(notices: Notices, exchange: Exchange, visitor: Visitor | None, error: Exception) -> web.StreamResponse:
    match error:
        case CrossSiteError():
            return notices.cross_site(exchange, visitor)
        case BadFormError():
            return notices.bad_form(exchange, visitor, str(error))
        case _:
            return notices.database_away(exchange, visitor)


def _is_own(origin: str, exchange: Exchange) -> bool:
    try:
        parts = urlsplit(origin)
        host = exchange.request.headers.get(hdrs.HOST, "")
        # Whoever can make a browser send a false Host has its user already; plain http is development's.
        return parts.netloc == host and (parts.scheme == "https" or is_local_name(host))
    except ValueError:
        return False


def _is_equal(told: str, wanted: str) -> bool:
    return hmac.compare_digest(told.encode(), wanted.encode())
