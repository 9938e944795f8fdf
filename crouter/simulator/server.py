"""The simulator as an aiohttp server: routes, keys, and one attempt per request.

Does not log anything, and decides nothing about content. A fault of its own is raised when
`serving` ends instead of being hidden in a 500.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web

from crouter.simulator.answer import identifier
from crouter.simulator.batch_routes import BatchRoutes
from crouter.simulator.batches import Batches
from crouter.simulator.cache import PromptCache
from crouter.simulator.completions import completion_reply, read_completion
from crouter.simulator.compose import Headers, json_reply, message_reply, refusal_reply
from crouter.simulator.errors import Refusal
from crouter.simulator.ledger import (
    BROKEN_OFF,
    CLIENT_LEFT,
    COMPLETE,
    STOPPED,
    Attempt,
    Ledger,
    Recorded,
)
from crouter.simulator.models import MODELS, Model, find_model, list_models, model_not_found
from crouter.simulator.playing import BrokenOffError, play
from crouter.simulator.reply import Reply
from crouter.simulator.request import MessagesRequest, has_tool_result, human_text, read_request
from crouter.simulator.steering import Steering, read_steering, split_model
from crouter.simulator.tokens import prompt_tokens

API = "/v1/"
COMPLETIONS = "/v1/chat/completions"
BODY_BYTES_MAX = 32 * 1024 * 1024
# Above Anthropic's limit, so that the refusal is ours and has Anthropic's shape.
SERVER_BODY_BYTES_MAX = 33 * 1024 * 1024
DEFAULT_PACE_S = 0.015
STOP_S = 0.2
ORGANIZATION_ID = "00000000-0000-4000-8000-000000000000"
REQUESTS_PER_MINUTE = 4_000
TOKENS_PER_MINUTE = 400_000

Answerer = Callable[[web.Request, bytes, Attempt], Reply | Refusal]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator:
    """An upstream for development and tests.

    `upstream_key` is the only key accepted, as x-api-key or bearer token. `pace_s` passes before
    each delta of a stream. `record` keeps raw requests in the ledger: tests only.
    """

    def __init__(
        self,
        upstream_key: str,
        *,
        pace_s: float = DEFAULT_PACE_S,
        record: bool = False,
        models: Sequence[Model] = MODELS,
    ) -> None:
        self.ledger = Ledger()
        self.upstream_key = upstream_key
        self._key = upstream_key.encode()
        self._url: str | None = None
        self._pace_s = pace_s
        self._record = record
        self._models = tuple(models)
        self._cache = PromptCache(time.monotonic)
        self.batches = Batches(self._models, self._cache, self.ledger.batch_lines.append)
        self._script: deque[Reply] = deque()
        self._faults: list[Exception] = []
        self._stopping = False

    def script(self, next: Reply) -> None:  # noqa: A002  it reads as what it does where it is called
        """Queue the reply to the next request under /v1/ that carries the right key."""
        self._script.append(next)

    @property
    def url(self) -> str:
        """The base URL, while `serving`."""
        assert self._url is not None, "the simulator is not serving"
        return self._url

    @property
    def scripted_left(self) -> int:
        """Scripted replies that nobody asked for yet."""
        return len(self._script)

    @contextlib.asynccontextmanager
    async def serving(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve until the block ends; gives the base URL. Port 0 takes a free one."""
        self._stopping = False
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=STOP_S,
            logger=_silent_logger(),
            auto_decompress=False,
        )
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
            shown = f"[{host}]" if ":" in host else host
            self._url = f"http://{shown}:{site.port}"
            yield self._url
        finally:
            self._stopping = True
            self._url = None
            await runner.cleanup()
        faults, self._faults = self._faults, []
        if faults:
            raise ExceptionGroup("the simulator itself failed", faults)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=SERVER_BODY_BYTES_MAX)
        app.router.add_route("HEAD", "/", self._head)
        app.router.add_get("/simulator/ledger", self._show_ledger)
        for method, path, answerer in (
            ("POST", "/v1/messages", self._messages),
            ("POST", COMPLETIONS, self._completions),
            *BatchRoutes(self.batches, _headers, lambda: self.url).routes(),
            ("POST", "/v1/messages/count_tokens", self._count_tokens),
            ("GET", "/v1/models", self._list_models),
            ("GET", "/v1/models/{model_id}", self._get_model),
            ("*", "/{rest:.*}", self._not_found),
        ):
            app.router.add_route(method, path, self._attempting(answerer))
        return app

    def _attempting(self, answerer: Answerer) -> Handler:
        """Wrap an answerer so that whatever happens ends up in the ledger, once."""

        async def handle(request: web.Request) -> web.StreamResponse:
            began = time.monotonic()
            resource = request.match_info.route.resource
            path = resource.canonical if resource and answerer != self._not_found else "(other)"
            attempt = self.ledger.begin(
                request_id=identifier("req", uuid.uuid4().hex),
                started_at=datetime.now(UTC).isoformat(),
                method=request.method,
                path=path,
            )
            outcome = CLIENT_LEFT
            try:
                reply = await self._reply(request, attempt, answerer)
                response = await play(request, reply, attempt)
                outcome = COMPLETE
            except BrokenOffError:
                outcome = BROKEN_OFF
                # No response is left to give back: aiohttp cancels us when the connection is gone.
                await asyncio.Event().wait()
                raise
            except asyncio.CancelledError:
                outcome = STOPPED if self._stopping else outcome
                raise
            except ConnectionError:
                raise
            except Exception as fault:
                outcome = BROKEN_OFF
                self._faults.append(fault)
                raise
            finally:
                self.ledger.end(attempt, outcome, time.monotonic() - began)
            return response

        return handle

    async def _reply(self, request: web.Request, attempt: Attempt, answerer: Answerer) -> Reply:
        body = await _read_body(request)
        if self._record:
            attempt.request = Recorded(request.method, request.raw_path, request.raw_headers, body or b"")
        reply: Reply | Refusal
        if body is None:
            reply = Refusal("request_too_large", "Request exceeds the maximum size")
        else:
            reply = self._refused(request) or self._scripted(request) or answerer(request, body, attempt)
        if isinstance(reply, Refusal):
            return refusal_reply(reply, attempt.request_id, _headers(attempt))
        return reply

    def _refused(self, request: web.Request) -> Refusal | None:
        """The checks that come before any route of the API, as upstream."""
        if not request.path.startswith(API):
            return None
        key = request.headers.get("x-api-key")
        if key is None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            key = token.strip() if scheme.lower() == "bearer" else None
        if not key:
            return Refusal("authentication_error", "x-api-key header is required")
        if not hmac.compare_digest(key.encode("utf-8", "surrogateescape"), self._key):
            return Refusal("authentication_error", "invalid x-api-key")
        if request.path != COMPLETIONS and "anthropic-version" not in request.headers:
            return Refusal("invalid_request_error", "anthropic-version: header is required")
        return None

    def _scripted(self, request: web.Request) -> Reply | None:
        if self._script and request.path.startswith(API):
            return self._script.popleft()
        return None

    def _messages(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        found = self._understood(read_request(body), attempt)
        if isinstance(found, Refusal):
            return found
        return message_reply(
            *found,
            self._cache.account(found[0]),
            request_id=attempt.request_id,
            pace_s=self._pace_s,
            headers=_headers(attempt),
        )

    def _completions(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        asked = read_completion(body)
        if isinstance(asked, Refusal):
            return asked
        found = self._understood(asked[0], attempt)
        if isinstance(found, Refusal):
            return found
        return completion_reply(
            *found,
            self._cache.account(found[0]),
            tells_usage=asked[1],
            request_id=attempt.request_id,
            headers=_headers(attempt),
        )

    def _understood(
        self, asked: MessagesRequest | Refusal, attempt: Attempt
    ) -> tuple[MessagesRequest, Steering] | Refusal:
        """The request with its model's real name, and what it asks the simulator to do."""
        if isinstance(asked, Refusal):
            return asked
        name, suffix = split_model(asked.model)
        model = find_model(self._models, name)
        if model is None:
            return model_not_found(name)
        attempt.model, attempt.stream = model.id, asked.stream
        turns = asked.turns
        said = human_text(turns[-1]) if turns and not has_tool_result(turns[-1]) else ""
        return replace(asked, model=model.id), read_steering(said, suffix)

    def _count_tokens(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        asked = read_request(body, counting=True)
        if isinstance(asked, Refusal):
            return asked
        model = find_model(self._models, split_model(asked.model)[0])
        if model is None:
            return model_not_found(asked.model)
        attempt.model = model.id
        return json_reply({"input_tokens": prompt_tokens(asked)}, _headers(attempt))

    def _list_models(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        page = list_models(self._models, request.query)
        return page if isinstance(page, Refusal) else json_reply(page, _headers(attempt))

    def _get_model(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        name = request.match_info["model_id"]
        model = find_model(self._models, name)
        if model is None:
            return model_not_found(name)
        return json_reply(model.wire(), _headers(attempt))

    def _not_found(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        return Refusal("not_found_error", "Not found")

    async def _head(self, request: web.Request) -> web.StreamResponse:
        """Claude Code asks this before anything else, to see whether somebody is there."""
        return web.Response()

    async def _show_ledger(self, request: web.Request) -> web.StreamResponse:
        if not _from_loopback(request):
            raise web.HTTPNotFound
        return web.json_response(self.ledger.wire())


async def _read_body(request: web.Request) -> bytes | None:
    """The body, or None when it is too large. Raises ConnectionResetError if it never ends."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    except web.RequestPayloadError as error:
        raise ConnectionResetError("the request's body broke off") from error
    return body if len(body) <= BODY_BYTES_MAX else None


def _headers(attempt: Attempt) -> Headers:
    """What upstream adds to every answer."""
    reset = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    limits = [("requests", REQUESTS_PER_MINUTE)]
    limits += [(kind, TOKENS_PER_MINUTE) for kind in ("tokens", "input-tokens", "output-tokens")]
    headers = [
        ("request-id", attempt.request_id),
        ("anthropic-organization-id", ORGANIZATION_ID),
    ]
    for kind, limit in limits:
        left = limit - 1 if kind == "requests" else limit
        headers += [
            (f"anthropic-ratelimit-{kind}-limit", str(limit)),
            (f"anthropic-ratelimit-{kind}-remaining", str(left)),
            (f"anthropic-ratelimit-{kind}-reset", reset),
        ]
    return tuple(headers)


def _from_loopback(request: web.Request) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return peer is not None and ipaddress.ip_address(peer[0]).is_loopback


def _silent_logger() -> logging.Logger:
    """aiohttp's own logger quotes malformed requests, keys included."""
    logger = logging.Logger("crouter.simulator", level=logging.CRITICAL + 1)
    logger.addHandler(logging.NullHandler())
    return logger
