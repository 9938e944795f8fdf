"""Answers the account API: finds out who asks, reads what they ask as it is declared, and writes the answer.

What the operations are and do is `crouter.runtime.account_api`.
"""

import hmac
import re
import uuid
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from crouter.runtime.account_api.openapi import FORM_TOKEN_HEADER, PATH, openapi_text
from crouter.runtime.account_api.operation import BODY_BYTES_MAX, Access, Call, Operation
from crouter.runtime.account_api.operations import OPERATIONS
from crouter.runtime.account_api.reading import read_body as read_shape
from crouter.runtime.account_api.reading import read_query
from crouter.runtime.account_api.shapes import Nothing, Shape
from crouter.runtime.account_api.stores import Stores
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.proxy.authentication import Missing, presented_key
from crouter.runtime.proxy.errors import (
    JSON_CONTENT_TYPE,
    ErrorReply,
    invalid_request,
    not_found,
    permission_denied,
    unavailable,
)
from crouter.runtime.purposes import PurposeRefusedError
from crouter.runtime.server.admission import admit
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.site.form import CrossSiteError, require_same_site
from crouter.runtime.server.site.route import READING, Answerer, SiteRoute, exactly
from crouter.runtime.words import kind_of

_SEGMENT: Final = r"[^/]{1,128}"
_NO_SESSION: Final = ErrorReply(401, "authentication_error", "nobody is signed in: this needs the session of a sign-in")
_encode = msgspec.json.Encoder(order="deterministic").encode


class AccountApi:
    """The routes of the account API."""

    def __init__(self, parts: Parts, operations: Iterable[Operation] = OPERATIONS) -> None:
        self._parts = parts
        self._operations = tuple(operations)
        self._document = openapi_text(parts.deployment.identity, self._operations).encode()

    def routes(self) -> tuple[SiteRoute, ...]:
        """Every operation and the document; none where the policy lets nobody show people what is theirs."""
        try:
            stores = Stores.of(self._parts)
        except PurposeRefusedError:
            return ()
        return (
            *(_route(operation, self._answerer(operation, stores)) for operation in self._operations),
            SiteRoute("openapi", exactly(PATH), READING, self._describe),
        )

    async def _describe(self, exchange: Exchange) -> web.StreamResponse:
        headers = {
            "content-type": JSON_CONTENT_TYPE,
            "cache-control": "public, max-age=300",
            "request-id": exchange.request_id,
        }
        return Reply(headers=headers, body=self._document)

    def _answerer(self, operation: Operation, stores: Stores) -> Answerer:
        async def answered(exchange: Exchange) -> web.StreamResponse:
            try:
                answer = await self._answer(operation, stores, exchange)
            except DatabaseError as error:
                self._parts.log.warning("database_away", request_id=exchange.request_id, error=kind_of(error))
                answer = unavailable()
            if isinstance(answer, ErrorReply):
                return error_reply(answer, exchange.request_id)
            headers = {
                "content-type": JSON_CONTENT_TYPE,
                "cache-control": "private, no-store",
                "request-id": exchange.request_id,
            }
            return Reply(status=operation.status, headers=headers, body=_encode(answer))

        return answered

    async def _answer(self, operation: Operation, stores: Stores, exchange: Exchange) -> Shape | ErrorReply:
        account = await self._account(operation, exchange)
        if isinstance(account, ErrorReply):
            return account
        query = read_query(exchange.query, operation.query)
        if isinstance(query, ErrorReply):
            return query
        body = await _body(operation, exchange)
        if isinstance(body, ErrorReply):
            return body
        target = _target(operation, exchange.path)
        if isinstance(target, ErrorReply):
            return target
        call: Call[Any, Any] = Call(stores=stores, account=account, query=query, body=body, id=target)
        return await operation.handler(call)

    async def _account(self, operation: Operation, exchange: Exchange) -> uuid.UUID | ErrorReply:
        """Whose request it is. A session counts first; a key only where no session is needed."""
        visitor = await self._parts.visitors.of(exchange)
        if visitor is not None:
            if operation.changes:
                refusal = _not_ours(exchange, visitor.form_token)
                if refusal is not None:
                    return refusal
            return visitor.account
        if isinstance(presented_key(tuple(exchange.request.headers.items())), Missing):
            return _NO_SESSION
        caller = await admit(exchange, self._parts, metered=False)
        if isinstance(caller, ErrorReply):
            return caller
        if operation.access is not Access.PERSON_OR_KEY:
            return permission_denied("an API key cannot do this: it needs somebody who is signed in")
        return caller.account


def _not_ours(exchange: Exchange, form_token: str) -> ErrorReply | None:
    """Why a change is refused that may come from a page of somebody else's."""
    try:
        require_same_site(exchange)
    except CrossSiteError:
        return permission_denied("the request was made by another site")
    told = exchange.request.headers.getall(FORM_TOKEN_HEADER, [])
    if len(told) != 1 or not hmac.compare_digest(told[0].encode("utf-8", "surrogateescape"), form_token.encode()):
        return permission_denied(f"{FORM_TOKEN_HEADER} is not the form token of this session")
    return None


async def _body(operation: Operation, exchange: Exchange) -> Shape | ErrorReply:
    request = exchange.request
    if operation.body is Nothing:
        if request.can_read_body and await read_body(request, BODY_BYTES_MAX) != b"":
            return invalid_request("this operation takes no body")
        return Nothing()
    body = await read_body(request, BODY_BYTES_MAX)
    if isinstance(body, ErrorReply):
        return body
    return read_shape(body, request.headers.get(hdrs.CONTENT_TYPE, ""), operation.body)


def _target(operation: Operation, path: str) -> uuid.UUID | ErrorReply | None:
    if not operation.has_id:
        return None
    place = operation.path.split("/").index("{id}")
    try:
        return msgspec.convert(path.split("/")[place], uuid.UUID)
    except msgspec.ValidationError:
        return not_found("nothing of yours has this id")


def _route(operation: Operation, answer: Answerer) -> SiteRoute:
    pattern = _SEGMENT.join(map(re.escape, operation.path.split("{id}")))
    methods = READING if operation.method == "GET" else (operation.method,)
    return SiteRoute(operation.name, re.compile(pattern), methods, answer)
