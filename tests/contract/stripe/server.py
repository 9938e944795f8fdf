"""Stripe's API as a server that the SDK, the official CLI and a browser can talk to.

It checks keys, versions and idempotency as Stripe does, answers errors in its shapes, delivers events with real
signatures, and fails on demand: `fail` loses requests or answers. Its page at /pay/ID is where a browser pays.
"""

import asyncio
import hashlib
import hmac
import html
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.contract.stripe import shapes
from tests.contract.stripe.account import Account, RefusedError, missing
from tests.contract.stripe.shapes import Thing

KEY = "sk_test_contract_server_0123456789"
SECRET = "whsec_contract_server_0123456789"


@dataclass
class Failure:
    """The next requests that match: `lost` before or after they are carried out, or answered with a status."""

    method: str
    path: str
    status: int = 0
    times: int = 1
    carried_out: bool = False


@dataclass
class Delivered:
    """An event that was delivered, and what was answered."""

    event: Thing
    status: int


@dataclass
class StripeServer:
    """One account behind HTTP. `endpoint` is where events go by themselves; empty to deliver by hand."""

    account: Account = field(default_factory=Account)
    key: str = KEY
    secret: str = SECRET
    url: str = ""
    endpoint: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    _answered: dict[str, tuple[str, int, Thing]] = field(default_factory=dict)
    _delivering: set["asyncio.Task[None]"] = field(default_factory=set)

    def fail(self, method: str, path: str, *, status: int = 0, times: int = 1, carried_out: bool = False) -> None:
        """Fails the next requests whose path begins so: with a status, or without any answer."""
        self.failures.append(Failure(method, path, status, times, carried_out))

    def signed(self, event: Thing, *, at: float | None = None, secret: str | None = None) -> tuple[bytes, str]:
        """Body and signature header of a message."""
        body = json.dumps(event).encode()
        moment = int(time.time() if at is None else at)
        digest = hmac.new((secret or self.secret).encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return body, f"t={moment},v1={digest}"

    async def deliver(self, event: Thing, *, at: float | None = None) -> int:
        """Delivers an event once; the status that was answered."""
        body, signature = self.signed(event, at=at)
        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signature}
        async with aiohttp.ClientSession() as http, http.post(self.endpoint, data=body, headers=headers) as answer:
            self.delivered.append(Delivered(event, answer.status))
            return answer.status

    async def told(self) -> None:
        """Waits until every event is delivered."""
        while self._delivering:
            await asyncio.gather(*self._delivering)

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["StripeServer"]:
        """Answers until the block ends."""
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.*}", self._api)
        app.router.add_get("/pay/{id}", self._page)
        app.router.add_post("/pay/{id}", self._paid)
        app.router.add_get("/invoices/{id}", self._invoice)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        bound = runner.addresses[0][1]
        self.url = self.account.url = f"http://127.0.0.1:{bound}"
        self.account.told = self._tell
        try:
            yield self
        finally:
            await self.told()
            await runner.cleanup()

    def _tell(self, event: Thing) -> None:
        if self.endpoint:
            task = asyncio.get_running_loop().create_task(self._deliver(event))
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)

    async def _deliver(self, event: Thing) -> None:
        for attempt in range(5):
            try:
                # A second later each time: Stripe signs every attempt anew.
                if await self.deliver(event, at=time.time() + attempt) < 300:
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05 * 2**attempt)

    # The API.

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path, body = f"/v1/{request.match_info['path']}", (await request.read()).decode()
        self.requests.append((request.method, path))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        failure = self._failure(request.method, path)
        if failure is not None and not failure.carried_out:
            return self._broken(request, failure)
        status, answer = self._answer(request, path, body)
        if failure is not None:
            return self._broken(request, failure)
        return web.json_response(answer, status=status, headers={"request-id": shapes.new_id("req")})

    def _answer(self, request: web.Request, path: str, body: str) -> tuple[int, Thing]:
        if not self._is_known(request):
            return 401, shapes.error("invalid_request_error", "Invalid API Key provided.")
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is not None and key in self._answered:
            before, status, answer = self._answered[key]
            if before != f"{path} {body}":
                message = "Keys for idempotent requests can only be used with the same parameters."
                return 400, shapes.error("idempotency_error", message)
            return status, answer
        params = nested(parse_qsl(body if request.method == "POST" else request.query_string, keep_blank_values=True))
        try:
            status, answer = 200, self._carried_out(request.method, path, params)
        except RefusedError as error:
            status, answer = error.status, error.body
        answer = json.loads(json.dumps({k: v for k, v in answer.items() if not k.startswith("_")}))
        if key is not None:
            self._answered[key] = (f"{path} {body}", status, answer)
        return status, answer

    def _is_known(self, request: web.Request) -> bool:
        given = request.headers.get("authorization", "")
        basic = aiohttp.encode_basic_auth(self.key, "")
        return given in (f"Bearer {self.key}", basic)

    def _carried_out(self, method: str, path: str, params: Thing) -> Thing:
        for wanted, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == wanted:
                return self._expanded(answer(self.account, params, *match.groups()), params)
        raise RefusedError(404, shapes.error("invalid_request_error", f"Unrecognized request URL ({method}: {path})."))

    def _expanded(self, thing: Thing, params: Thing) -> Thing:
        for wanted in params.get("expand", []):
            if wanted == "latest_charge.balance_transaction" and thing.get("latest_charge"):
                charge = dict(self.account.find("charge", thing["latest_charge"]))
                charge["balance_transaction"] = self.account.find("transaction", charge["balance_transaction"])
                thing = {**thing, "latest_charge": charge}
        return thing

    def _failure(self, method: str, path: str) -> Failure | None:
        for failure in self.failures:
            if failure.times > 0 and failure.method == method and path.startswith(failure.path):
                failure.times -= 1
                return failure
        return None

    def _broken(self, request: web.Request, failure: Failure) -> web.StreamResponse:
        if failure.status:
            body = shapes.error("api_error", "An error that tests asked for.")
            return web.json_response(body, status=failure.status, headers={"request-id": shapes.new_id("req")})
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError

    # The page that a browser pays on.

    async def _page(self, request: web.Request) -> web.Response:
        session = self.account.find("session", request.match_info["id"])
        amount = f"${session['amount_total'] / 100:,.2f}"
        back = html.escape(session["cancel_url"] or session["success_url"])
        page = (
            f"<!doctype html><html lang=en><title>Stand-in for Stripe Checkout</title><h1>Pay {amount}</h1>"
            "<p>This page stands in for Stripe's. No card is asked for.</p>"
            f'<form method="post"><button name="how" value="pay">Pay {amount}</button>'
            '<button name="how" value="later">Pay by bank, which takes days</button></form>'
            f'<a href="{back}">Cancel</a></html>'
        )
        return web.Response(text=page, content_type="text/html")

    async def _paid(self, request: web.Request) -> web.Response:
        form = await request.post()
        session = self.account.find("session", request.match_info["id"])
        self.account.pay(session["id"], delayed=form.get("how") == "later")
        raise web.HTTPSeeOther(session["success_url"])

    async def _invoice(self, request: web.Request) -> web.Response:
        invoice = self.account.find("invoice", request.match_info["id"])
        return web.Response(text=f"<title>Invoice</title><h1>{invoice['number']}</h1>", content_type="text/html")


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """Stripe's form encoding: `a[b][0][c]=d`. Numbered and empty brackets make lists."""
    root: Thing = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        here: Any = root
        step: str = first
        for part in rest:
            here = here.setdefault(step, {})
            step = part or str(len(here))
        here[step] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def _list(kind: str, path: str) -> Callable[..., Thing]:
    def answer(account: Account, params: Thing) -> Thing:
        found = list(reversed(account.all(kind)))
        for name in ("customer", "status", "payment_intent", "type"):
            if name in params:
                found = [thing for thing in found if thing.get(name) == params[name]]
        since = int(params.get("created", {}).get("gte", 0)) if isinstance(params.get("created"), dict) else 0
        found = [thing for thing in found if thing.get("created", 0) >= since]
        if after := params.get("starting_after"):
            ids = [thing["id"] for thing in found]
            if after not in ids:
                raise missing(kind, after)
            found = found[ids.index(after) + 1 :]
        limit = int(params.get("limit", 10))
        return shapes.listed(path, found[:limit], more=len(found) > limit)

    return answer


def _one(kind: str) -> Callable[..., Thing]:
    return lambda account, params, id_: account.find(kind, id_)


_ROUTES: tuple[tuple[str, str, Callable[..., Thing]], ...] = (
    ("POST", "/v1/customers", lambda account, params: account.make_customer(params)),
    ("GET", "/v1/customers", _list("customer", "/v1/customers")),
    ("GET", "/v1/customers/([^/]+)", _one("customer")),
    ("DELETE", "/v1/customers/([^/]+)", lambda account, params, id_: account.delete_customer(id_)),
    ("POST", "/v1/checkout/sessions", lambda account, params: account.make_session(params)),
    ("GET", "/v1/checkout/sessions/([^/]+)", _one("session")),
    ("POST", "/v1/payment_intents", lambda account, params: account.make_intent(params)),
    ("GET", "/v1/payment_intents", _list("intent", "/v1/payment_intents")),
    ("GET", "/v1/payment_intents/([^/]+)", _one("intent")),
    ("GET", "/v1/charges/([^/]+)", _one("charge")),
    ("POST", "/v1/refunds", lambda account, params: account.make_refund(params)),
    ("GET", "/v1/refunds", _list("refund", "/v1/refunds")),
    ("GET", "/v1/refunds/([^/]+)", _one("refund")),
    ("GET", "/v1/disputes", _list("dispute", "/v1/disputes")),
    ("GET", "/v1/invoices", _list("invoice", "/v1/invoices")),
    ("GET", "/v1/balance_transactions", _list("transaction", "/v1/balance_transactions")),
    ("GET", "/v1/events", lambda account, params: shapes.listed("/v1/events", account.events[::-1][:10], more=False)),
)
