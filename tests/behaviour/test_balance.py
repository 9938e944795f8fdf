"""The balance in a running service: paying, coming back, refunds, and messages that are not to be believed."""

import copy
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from tests.behaviour.browsing import Person, sign_in
from tests.behaviour.service import Service, message, serving
from tests.contract.stripe.server import StripeServer
from tests.contract.stripe.shop import stripe_environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
BALANCE = "/dashboard/balance"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stripe() -> AsyncIterator[StripeServer]:
    async with StripeServer().serving() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str, stripe: StripeServer
) -> AsyncIterator[Service]:
    """One service beside one stand-in for Stripe, for all tests of this module."""
    copied = sql.SQL("CREATE DATABASE balance TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copied)
    environ = stripe_environment(stripe)
    async with serving(deployment, cluster.dsn("balance"), generated, show_dashboard=True, **environ) as running:
        stripe.endpoint = f"{running.url}/webhooks/stripe"
        yield running
        stripe.endpoint = ""


class Browser:
    """Somebody who is signed in, with a form token from the last page."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.status = 0

    async def get(self, path: str) -> str:
        answer = await self._person.get(path)
        self.status = answer.status
        return answer.text

    async def post(self, path: str, *, token: str | None = None, **fields: str) -> str:
        """Sends a form of the last page; the address that follows, or the page."""
        answer = await self._person.send(path, token, **fields)
        self.status = answer.status
        return answer.location if answer.status == 303 else answer.text

    def hidden(self, name: str) -> str:
        return self._person.hidden(name)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site: Service) -> AsyncIterator[Browser]:
    async with Person(site.url) as person:
        await sign_in(person)
        yield Browser(person)


async def paid(browser: Browser, stripe: StripeServer, amount: str = "25") -> str:
    """Tops up by clicking through; the path of the payment's page."""
    await browser.get(BALANCE)
    path = await browser.post(f"{BALANCE}/top-up", choice=amount)
    assert browser.status == 303
    stripe.account.pay(stripe.account.all("session")[-1]["id"])
    await stripe.told()
    return path


async def test_somebody_pays_on_stripes_page_and_comes_back_to_more_credit(
    browser: Browser, stripe: StripeServer, site: Service
) -> None:
    before = await site.accounts.balance(site.account)
    page = await browser.get(BALANCE)
    assert "$5.00" in page
    path = await browser.post(f"{BALANCE}/top-up", choice="25")
    session = stripe.account.all("session")[-1]
    assert session["success_url"] == site.url + path
    assert f'href="{stripe.url}/pay/{session["id"]}"' in await browser.get(path)
    async with aiohttp.ClientSession() as http:
        async with http.get(session["url"]) as shown:
            assert "Pay $25.00" in await shown.text()
        async with http.post(session["url"], data={"how": "pay"}, allow_redirects=False) as answer:
            assert answer.headers["location"] == site.url + path
    await stripe.told()
    assert "is on your balance" in await browser.get(path)
    assert await site.accounts.balance(site.account) == before + 25 * 10**9
    assert {delivered.status for delivered in stripe.delivered} == {200}
    assert "CRO-" in await browser.get(f"{BALANCE}/invoices")
    assert "Top-up" in await browser.get(f"{BALANCE}/statement")
    csv = (await browser.get(f"{BALANCE}/statement.csv")).splitlines()
    assert csv[0] == "time,kind,entries,amount_usd,balance_usd"
    assert csv[-1].endswith(",top_up,1,25.000000000,30.000000000")


async def test_whoever_comes_back_before_the_message_sees_the_credit_all_the_same(
    browser: Browser, stripe: StripeServer, site: Service
) -> None:
    endpoint, stripe.endpoint = stripe.endpoint, ""
    before = await site.accounts.balance(site.account)
    path = await paid(browser, stripe)
    assert "is on your balance" in await browser.get(path)
    stripe.endpoint = endpoint
    assert await stripe.deliver(stripe.account.events[-1]) == 200
    assert await site.accounts.balance(site.account) == before + 25 * 10**9


async def test_whoever_cancels_or_types_nonsense_pays_nothing(browser: Browser, stripe: StripeServer) -> None:
    await browser.get(BALANCE)
    path = await browser.post(f"{BALANCE}/top-up", amount="12.50")
    assert "was not paid" in await browser.get(f"{path}?cancelled")
    for amount in ("", "0", "4.99", "1000.01", "-5", "1e3", "ten", "12.345", "٢٥"):
        await browser.get(BALANCE)
        page = await browser.post(f"{BALANCE}/top-up", amount=amount)
        assert browser.status == 400
        assert 'role="alert"' in page
    assert stripe.account.all("session")[-1]["amount_total"] == 12_50


async def test_a_refund_tells_its_amounts_first_and_pays_back_just_those(
    browser: Browser, stripe: StripeServer, site: Service
) -> None:
    await paid(browser, stripe)
    page = await browser.get(f"{BALANCE}/refund?amount=10")
    assert "$9.58" in page  # 10.00 less its share, 42 cents, of the fee of 1.03
    credit, back = browser.hidden("credit"), browser.hidden("paid")
    before = await site.accounts.balance(site.account)
    await browser.post(f"{BALANCE}/refund", credit=credit, paid=str(int(back) + 1), wanted="10")
    assert browser.status == 409
    await browser.post(f"{BALANCE}/refund", credit=credit, paid=back, wanted="10")
    assert browser.status == 303
    await stripe.told()
    assert await site.accounts.balance(site.account) == before - 10 * 10**9
    assert stripe.account.all("refund")[-1]["amount"] == 9_58
    assert "Paid back" in await browser.get(BALANCE)


async def test_automatic_top_up_needs_consent(browser: Browser, site: Service) -> None:
    terms = {"threshold": "5", "top_up": "20", "monthly_max": "100"}
    await browser.get(BALANCE)
    page = await browser.post(f"{BALANCE}/automatic", **terms)
    assert browser.status == 400
    assert "Tick the box" in page
    assert await browser.post(f"{BALANCE}/automatic", **terms, consent="yes") == BALANCE
    assert "begins with your next payment" in await browser.get(BALANCE)
    assert site.rows("payment_profile")[0]["consented_at"] is not None
    await browser.post(f"{BALANCE}/automatic", switch="off")
    assert "is off" in await browser.get(BALANCE)


async def test_other_sites_and_other_peoples_payments_get_nothing(browser: Browser, stripe: StripeServer) -> None:
    sessions = len(stripe.account.all("session"))
    await browser.get(BALANCE)
    for path in ("top-up", "automatic", "refund"):
        await browser.post(f"{BALANCE}/{path}", token="forged", choice="25")
        assert browser.status == 403
    assert len(stripe.account.all("session")) == sessions
    await browser.get(f"{BALANCE}/payments/{uuid.uuid4()}")
    assert browser.status == 404


async def test_while_stripe_is_away_the_page_says_what_still_works(
    browser: Browser, stripe: StripeServer, site: Service
) -> None:
    await browser.get(BALANCE)
    stripe.fail("POST", "/v1/checkout/sessions", times=3)
    page = await browser.post(f"{BALANCE}/top-up", choice="25")
    assert browser.status == 503
    assert "your requests are not touched" in " ".join(page.split())
    await browser.get(BALANCE)
    assert browser.status == 200
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{site.url}/v1/messages", headers=site.headers(), json=message()) as answer,
    ):
        assert answer.status == 200


# What is not to be believed.


async def refused(site: Service, body: bytes, headers: dict[str, str]) -> None:
    before = {table: site.rows(table) for table in ("payment_event", "ledger", "book", "payment")}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{site.url}/webhooks/stripe", data=body, headers=headers) as answer,
    ):
        assert (answer.status, await answer.text()) == (400, "refused\n")
    assert {table: site.rows(table) for table in before} == before


async def test_forged_old_future_replayed_altered_and_foreign_messages_are_refused_and_leave_no_row(
    browser: Browser, stripe: StripeServer, site: Service
) -> None:
    await stripe.told()
    await site.settled("ledger")  # what other tests have used is charged by now
    endpoint, stripe.endpoint = stripe.endpoint, ""
    await browser.get(BALANCE)
    await browser.post(f"{BALANCE}/top-up", choice="25")
    stripe.account.pay(stripe.account.all("session")[-1]["id"])
    stripe.endpoint = endpoint
    event = stripe.account.events[-1]
    now = datetime.now(UTC).timestamp()
    body, signature = stripe.signed(event)
    with_bytes = body.replace(b'"livemode": false', b'"livemode":  false')
    others: tuple[dict[str, object], ...] = (
        {"livemode": True},
        {"account": "acct_of_somebody"},
        {"context": "ctx_of_somebody"},
        {"api_version": "2020-08-27"},
        {"api_version": None},
        {"object": "v2.core.event"},
        {"data": {}},
        {"id": 7},
    )
    foreign = [
        stripe.signed(event, secret="whsec_of_somebody_else_0123456789"),
        stripe.signed(event, at=now - 301),
        stripe.signed(event, at=now + 60),
        (with_bytes, signature),
        (body, signature.replace("v1=", "v0=")),
        (body, ""),
        (body, "t=,v1="),
        (body, f"t={'9' * 400},v1=00"),
        (body[:-1], signature),
        *(stripe.signed({**copy.deepcopy(event), **wrong}) for wrong in others),
    ]
    for content, header in foreign:
        await refused(site, content, {"stripe-signature": header} if header else {})
    for content in (b"", b"{}", b"null", b"\xff\xfe", b'{"a":' * 100000):
        _, valid = stripe.signed({})
        await refused(site, content, {"stripe-signature": valid})
    assert await stripe.deliver(event, at=now) == 200
    replay, header = stripe.signed(event, at=now)
    await refused(site, replay, {"stripe-signature": header})
    older, header = stripe.signed(event, at=now - 5)
    await refused(site, older, {"stripe-signature": header})
    assert await stripe.deliver(event, at=now + 2) == 200
    log = site.out.getvalue()
    for canary in ("CANARY", event["id"], signature, "whsec"):
        assert canary not in log


async def test_without_credit_the_answer_is_402_and_says_where_to_top_up(site: Service) -> None:
    account = await site.accounts.create("bob@example.org", "Bob")
    key = await site.keys.create(account)
    headers = site.headers() | {"x-api-key": key.key.reveal()}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{site.url}/v1/messages", headers=headers, json=message()) as answer,
    ):
        told = await answer.json()
    assert answer.status == 402
    assert told["type"] == "error"
    assert told["error"]["type"] == "billing_error"
    assert "balance" in told["error"]["message"].lower() or "credit" in told["error"]["message"].lower()


async def test_with_the_database_away_stripe_is_asked_to_come_again(
    site: Service, stripe: StripeServer, cluster: RunningCluster
) -> None:
    event = copy.deepcopy(stripe.account.events[-1])
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE balance ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'balance'")
        try:
            assert await stripe.deliver(event, at=datetime.now(UTC).timestamp() + 10) == 503
        finally:
            connection.execute("ALTER DATABASE balance ALLOW_CONNECTIONS true")
    statuses = [await stripe.deliver(event, at=datetime.now(UTC).timestamp() + 12 + later) for later in range(12)]
    assert statuses[-1] == 200  # each dead connection of the pool fails once
