"""One customer from the first visit to the last, through the pages only: nothing here knows more than they show.

Paying happens on the page of Stripe's stand-in, which tells the service by messages with real signatures.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anthropic
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from crouter.embedded import RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.behaviour.deployment import Generated
from tests.behaviour.service import MODEL, Service, serving
from tests.browser.visits import Visit, visiting
from tests.contract.stripe.server import StripeServer
from tests.contract.stripe.shop import stripe_environment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Shop:
    """A service that takes payments, and who processes them."""

    service: Service
    stripe: StripeServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def selling(project: Generated, browser_cluster: RunningCluster) -> AsyncIterator[Shop]:
    dsn = browser_cluster.ensure_database("journey")
    migrate(dsn, project.migrations, Origin.of(project.deployment), plain_postgres=True)
    async with StripeServer().serving() as stripe:
        told = stripe_environment(stripe)
        async with serving(project.deployment, dsn, project.folder, show_dashboard=True, **told) as service:
            stripe.endpoint = f"{service.url}/webhooks/stripe"
            # Whoever comes for the first time has credit as a present, and no key.
            await service.keys.revoke(service.key_id, account=service.account)
            yield Shop(service, stripe)


async def test_from_signing_in_to_signing_out(browser: Browser, selling: Shop) -> None:
    service = selling.service
    async with visiting(browser, service, signed_in=False) as visit:
        await signs_in(visit)
        await pays(visit, selling.stripe)
        await expect(visit.page.locator(".figure").first).to_have_text("$30.00")
        key = await makes_a_key(visit)
        async with anthropic.AsyncAnthropic(api_key=key, base_url=service.url, max_retries=0) as client:
            await sees_tokens_move(visit, client)
            await meets_a_limit(visit, client)
        await is_paid_back(visit, selling.stripe)
        await signs_out(visit)
        assert {url.split("/")[2] for url in visit.foreign_requests()} == {selling.stripe.url.split("/")[2]}
        assert visit.errors == []
    assert [entry["kind"] for entry in await service.settled("ledger")].count("charge") == 1


async def signs_in(visit: Visit) -> None:
    await visit.go("/")
    await visit.page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    await visit.page.get_by_role("button", name="Sign in as the development account").click()
    await visit.page.wait_for_url("**/dashboard")


async def pays(visit: Visit, stripe: StripeServer) -> None:
    """Tops up by 25 dollars. What Stripe says is believed, and is said only after it is paid."""
    page = visit.page
    await page.get_by_role("link", name="Balance", exact=True).click()
    assert await visit.axe() == []
    await page.get_by_role("button", name="$25", exact=True).click()
    assert await visit.axe() == []
    await page.get_by_role("link", name="Continue to Stripe").click()
    assert page.url.startswith(stripe.url)
    assert stripe.delivered == []
    await page.get_by_role("button", name="Pay $25.00").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    await stripe.told()
    paid = [one.status for one in stripe.delivered if one.event["type"] == "checkout.session.completed"]
    assert paid == [200]
    await page.get_by_role("link", name="Back to your balance").click()
    await expect(page.get_by_role("table", name="Your payments")).to_contain_text("Paid")


async def makes_a_key(visit: Visit) -> str:
    """The key, as the page shows it this once."""
    page = visit.page
    await page.get_by_role("link", name="Keys", exact=True).click()
    await page.get_by_label("Name").fill("Journey")
    await page.get_by_role("button", name="Make a key").click()
    await expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    assert await visit.axe() == []
    key = await page.locator("#new-key").inner_text()
    await visit.go("/dashboard/keys")
    assert key not in await page.content()
    await expect(page.get_by_role("heading", name="Journey")).to_be_visible()
    return key


async def sees_tokens_move(visit: Visit, client: anthropic.AsyncAnthropic) -> None:
    """The figures of the open page change with a request of another program, and nobody loads it again."""
    page = visit.page
    await page.get_by_role("link", name="Dashboard", exact=True).click()
    await expect(page.locator("#live-state")).to_have_text("Live")
    await expect(page.locator("[data-live=tokens]")).to_have_text("0")
    await page.evaluate("window.stillTheSamePage = true")
    usage = (await asks(client)).usage
    await expect(page.locator("[data-live=tokens]")).to_have_text(f"{usage.input_tokens + usage.output_tokens:,}")
    await expect(page.locator("[data-live=requests]")).to_have_text("1")
    assert await page.evaluate("window.stillTheSamePage")


async def meets_a_limit(visit: Visit, client: anthropic.AsyncAnthropic) -> None:
    """A limit of a cent that is set on the page holds for the next request that could cost more."""
    page = visit.page
    await page.get_by_role("link", name="Keys", exact=True).click()
    card = page.locator("form[action$='/limit']").first
    await card.get_by_label("Spending limit").fill("0.01")
    await card.get_by_role("button", name="Save the limit").click()
    await expect(card.get_by_label("Spending limit")).to_have_value(re.compile(r"^0\.01"))
    with pytest.raises(anthropic.APIStatusError) as refused:
        await asks(client, tokens_max=16_000)
    assert refused.value.status_code == 402
    assert "spending limit of this API key" in str(refused.value)
    assert "raise the limit on the dashboard" in str(refused.value)


async def is_paid_back(visit: Visit, stripe: StripeServer) -> None:
    """What was paid goes back whole, less Stripe's fee: the request was paid for by the credit that was given."""
    page = visit.page
    await page.get_by_role("link", name="Balance", exact=True).click()
    await page.get_by_role("link", name="See what a refund would be").click()
    told = await fact(page, "Is paid back to you")
    assert await visit.axe() == []
    await page.get_by_role("button", name="Pay it back").click()
    await expect(page.get_by_role("table", name="Your refunds")).to_contain_text("Paid back")
    (refund,) = stripe.account.all("refund")
    assert told == f"${refund['amount'] / 100:.2f}"
    await stripe.told()
    assert {one.status for one in stripe.delivered} == {200}


async def signs_out(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="Sign out").click()
    await visit.go("/dashboard/balance")
    await expect(visit.page).to_have_url(re.compile("/sign-in"))


async def asks(client: anthropic.AsyncAnthropic, tokens_max: int = 64) -> anthropic.types.Message:
    return await client.messages.create(
        model=MODEL, max_tokens=tokens_max, messages=[{"role": "user", "content": "Hello"}]
    )


async def fact(page: Page, name: str) -> str:
    """What stands beside a term."""
    return await page.locator(f"dt:text-is('{name}') + dd").inner_text()
