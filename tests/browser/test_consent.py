"""Asking before anything is measured, in a real browser: what is sent, what is kept, and how it all ends."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator

from crouter.embedded import RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.behaviour.deployment import Generated
from tests.behaviour.service import Service, serving, until
from tests.browser.visits import Visit, visiting
from tests.contract.openpanel.server import CLIENT_ID, CLIENT_SECRET, OpenPanel

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "openpanel-pending-revenues"
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
DNT = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {value: '1'})"


@dataclass
class Measured:
    """A service that measures, and who receives it."""

    service: Service
    openpanel: OpenPanel


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def measured(project: Generated, browser_cluster: RunningCluster) -> AsyncIterator[Measured]:
    if not (project.folder.parent / "node_modules" / "vanilla-cookieconsent").is_dir():
        pytest.skip("SKIPPED: the web assets are not installed (npm ci)")
    dsn = browser_cluster.ensure_database("measured")
    migrate(dsn, project.migrations, Origin.of(project.deployment), plain_postgres=True)
    openpanel = OpenPanel()
    async with openpanel.serving() as url:
        told = {
            "CROUTER_OPENPANEL_URL": url,
            "CROUTER_OPENPANEL_CLIENT_ID": CLIENT_ID,
            "CROUTER_OPENPANEL_CLIENT_SECRET": CLIENT_SECRET,
        }
        async with serving(project.deployment, dsn, project.folder, show_dashboard=True, **told) as service:
            yield Measured(service, openpanel)


@pytest.fixture
def fresh(measured: Measured) -> Measured:
    """Nothing was received yet."""
    measured.openpanel.received.clear()
    return measured


@asynccontextmanager
async def visit(browser: Browser, measured: Measured, script: str = "", **options: Any) -> AsyncIterator[Visit]:
    async with visiting(browser, measured.service, signed_in=False, **options) as visited:
        if script:
            await visited.context.add_init_script(script)
        yield visited
        if not await visited.page.evaluate("'axe' in window"):
            assert await visited.refused() == []
        assert visited.foreign_requests() == []
        assert visited.errors == []


def button(visited: Visit, name: str) -> Locator:
    return visited.page.get_by_role("button", name=name, exact=True).locator("visible=true")


def sign_in(visited: Visit) -> Locator:
    return visited.page.get_by_role("banner").get_by_role("link", name="Sign in")


async def asked(visited: Visit) -> bool:
    """Whether the question stands on the page; waits until the page is ready to ask."""
    await visited.page.wait_for_load_state("networkidle")
    return await visited.page.locator("#cc-main .cm").is_visible()


def became_of(measured: Measured, outcome: str) -> float:
    text = measured.service.running.parts.metrics.exposition().decode()
    found = re.search(rf'crouter_analytics_events_total{{outcome="{outcome}"}} (\S+)', text)
    return float(found[1]) if found else 0.0


def relayed(visited: Visit) -> list[str]:
    return [url for url in visited.requests if "/relay/" in url]


@pytest.mark.claim("cookie-analytics", by="consent_configuration")
async def test_cookie_analytics__nothing_is_sent_before_an_answer_and_nothing_after_a_refusal(
    browser: Browser, fresh: Measured
) -> None:
    async with visit(browser, fresh) as visited:
        await visited.go("/")
        assert await asked(visited)
        await sign_in(visited).click(modifiers=["Control"])
        assert await visited.kept() == set()
        assert not [url for url in visited.requests if "openpanel" in url or "analytics" in url]
        await button(visited, "Refuse").click()
        await visited.go("/pricing")
        assert not await asked(visited)
        assert await visited.kept() == {"cc_cookie"}
        assert relayed(visited) == []
    assert fresh.openpanel.received == []
    rows = [row["choice"] for row in fresh.service.rows("consent")]
    assert rows[-1:] == ["refused"]


@pytest.mark.claim("cookie-analytics", by="consent_configuration")
@pytest.mark.claim("processor-openpanel")
async def test_cookie_analytics__with_consent_declared_events_leave_until_it_is_withdrawn(
    browser: Browser, fresh: Measured
) -> None:
    openpanel = fresh.openpanel
    async with visit(browser, fresh, locale="de-DE", timezone_id="Europe/Berlin") as visited:
        await visited.go("/?utm_source=canary-query")
        assert await asked(visited)
        await button(visited, "Accept").click()
        await until(lambda: openpanel.events == [("page_view", {"path": "/"})], 10)
        await visited.go("/pricing")
        await sign_in(visited).click()
        await until(lambda: len(openpanel.events) == 4, 10)
        assert sorted(openpanel.events[1:], key=json.dumps) == [
            ("interaction", {"path": "/pricing", "element": "sign-in"}),
            ("page_view", {"path": "/pricing"}),
            ("page_view", {"path": "/sign-in"}),
        ]
        assert all(not one.tells_who and b"canary" not in one.raw for one in openpanel.received)
        # Withdrawing is one click away on every page, and takes one more than consenting did not.
        await visited.page.evaluate(f"sessionStorage.setItem('{KEY}', '[]')")
        for path in ("/sign-in", "/privacy"):
            await visited.go(path)
            await visited.page.wait_for_load_state("networkidle")
            await visited.page.get_by_role("link", name="Cookie choices").click()
            await button(visited, "Refuse").wait_for()
        await until(lambda: len(openpanel.events) == 6, 10)
        await button(visited, "Refuse").click()
        await visited.page.wait_for_function(f"sessionStorage.getItem('{KEY}') === null")
        assert await visited.kept() == {"cc_cookie"}
        before = len(relayed(visited))
        await visited.go("/pricing")
        await visited.page.wait_for_load_state("networkidle")
        assert len(relayed(visited)) == before
        (kept,) = await visited.context.cookies()
        assert not str(kept["domain"]).startswith(".")
    assert len(openpanel.events) == 6
    assert [row["choice"] for row in fresh.service.rows("consent")][-2:] == ["accepted", "refused"]


@pytest.mark.claim("cookie-analytics")
@pytest.mark.parametrize("script", [GPC, DNT], ids=["global privacy control", "do not track"])
async def test_cookie_analytics__a_browser_that_refuses_is_not_asked_and_not_measured_whatever_is_clicked(
    browser: Browser, fresh: Measured, script: str
) -> None:
    async with visit(browser, fresh, script) as visited:
        await visited.go("/")
        assert not await asked(visited)
        await visited.page.get_by_role("link", name="Cookie choices").click()
        assert "that holds, whatever you choose" in str(await visited.page.locator("#cc-main .pm").text_content())
        await button(visited, "Accept").click()
        await visited.go("/pricing")
        await visited.page.wait_for_load_state("networkidle")
        assert relayed(visited) == []
    assert fresh.openpanel.received == []


@pytest.mark.claim("cookie-analytics")
@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
async def test_cookie_analytics__the_service_honours_the_signal_of_a_browser_that_tells_pages_nothing(
    browser: Browser, fresh: Measured, header: str
) -> None:
    before = became_of(fresh, "refused")
    async with visit(browser, fresh, extra_http_headers={header: "1"}) as visited:
        await visited.go("/")
        assert await asked(visited)
        await button(visited, "Accept").click()
        await until(lambda: became_of(fresh, "refused") > before, 10)
        # The browser tells us of its requests a moment after they were answered.
        await until(lambda: len(relayed(visited)) > 0, 5)
    assert fresh.openpanel.received == []


@pytest.mark.claim("cookie-essential", by="cookie_register")
@pytest.mark.claim("cookie-no-ads")
async def test_cookie_essential__every_public_page_keeps_and_loads_what_is_declared_and_nothing_else(
    browser: Browser, fresh: Measured
) -> None:
    web = fresh.service.running.parts.deployment.web
    declared = {cookie.name for cookie in web.cookies} | {key.name for key in web.storage}
    async with visit(browser, fresh) as visited:
        todo, seen = ["/privacy", "/"], set[str]()
        while todo:
            path = todo.pop()
            seen.add(path)
            measured_before = len(relayed(visited))
            await visited.go(path)
            if path == "/":
                assert await asked(visited)
                await button(visited, "Accept").click()
            is_page = await visited.page.evaluate("document.contentType === 'text/html'")
            if is_page:
                # Measuring is the last that a page begins with; sooner than a wait until nothing moves.
                await until(lambda before=measured_before: len(relayed(visited)) > before, 10)  # type: ignore[misc]
            assert await visited.refused() == [], path
            assert await visited.kept() <= declared, path
            if is_page:
                assert await visited.page.get_by_role("link", name="Cookie choices").count() == 1, path
            links = await visited.page.evaluate("[...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.pathname)")
            todo += sorted({link for link in links if "/history/" not in link} - seen - set(todo))
    assert {"/", "/pricing", "/privacy", "/privacy/proof", "/privacy/history", "/sign-in"} <= seen


async def found_in_dialogs(visited: Visit) -> list[str]:
    # axe itself writes styles into the page, which the policy forbids.
    assert await visited.refused() == [] or await visited.page.evaluate("'axe' in window")
    await visited.page.wait_for_timeout(400)  # the dialogs fade in, and colours are judged
    return [line for line in await visited.axe() if "badge" not in line]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_dialogs_are_accessible_and_both_answers_look_alike(
    browser: Browser, fresh: Measured, scheme: str
) -> None:
    async with visit(browser, fresh, color_scheme=scheme) as visited:
        await visited.go("/")
        assert await asked(visited)
        looks = [
            await button(visited, name).evaluate(
                "(node) => { const s = getComputedStyle(node), b = node.getBoundingClientRect();"
                "return [s.color, s.backgroundColor, s.fontSize, s.fontWeight, s.borderColor, b.width, b.height]; }"
            )
            for name in ("Accept", "Refuse")
        ]
        assert looks[0] == looks[1]
        assert await found_in_dialogs(visited) == []
        await button(visited, "Choose").click()
        assert await found_in_dialogs(visited) == []
