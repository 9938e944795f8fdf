"""Every page, wide and narrow, light and dark: nothing for axe to find, nothing forbidden, nothing undeclared."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Route

from tests.behaviour.service import Service
from tests.browser.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOWHERE = "/no-such-page"
PUBLIC = ("/", "/pricing", "/status", "/sign-in", "/privacy", "/privacy/history", "/privacy/proof", NOWHERE)
OWN = (
    "/",
    "/dashboard",
    "/dashboard/usage",
    "/dashboard/usage?from=2024-01-01&to=2024-01-02",
    "/dashboard/keys",
    "/dashboard/balance",
    "/dashboard/balance/statement",
    "/dashboard/setup",
    "/account/privacy",
)
# What Chromium itself says of any page that answers so.
_NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
LOOKS = (
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "reduced_motion": "reduce"},
)
SCREENSHOTS = os.environ.get("CROUTER_SCREENSHOTS")
"""A folder for pictures of every page, for people who look at them."""


@pytest.mark.claim("cookie-essential")
@pytest.mark.parametrize("look", LOOKS, ids=("wide light", "narrow dark"))
@pytest.mark.parametrize("signed_in", [False, True], ids=("visitor", "customer"))
async def test_cookie_essential__pages_are_accessible_and_keep_and_ask_for_what_is_declared_only(
    site: Service, open_page: Open, look: dict[str, object], signed_in: bool
) -> None:
    web = site.running.parts.deployment.web
    declared = {cookie.name for cookie in web.cookies} | {key.name for key in web.storage}
    async with open_page(signed_in=signed_in, **look) as visit:
        for path in OWN if signed_in else PUBLIC:
            await visit.go(path)
            assert await visit.page.locator("h1").count() == 1, path
            assert await visit.overflow() <= 0, path
            # First what the page itself did: axe adds a style sheet, which is refused as well.
            assert await visit.refused() == [], path
            assert await visit.axe() == [], path
            assert await visit.kept() <= declared, path
            if SCREENSHOTS:
                name = f"{path.strip('/').replace('/', '_').partition('?')[0] or 'home'}-{visit.page.viewport_size}"
                await visit.page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{signed_in}.png", full_page=True)
        assert visit.foreign_requests() == []
        assert visit.errors == []


@pytest.mark.parametrize("signed_in", [False, True], ids=("visitor", "customer"))
async def test_no_page_makes_the_browser_complain_in_its_console(open_page: Open, signed_in: bool) -> None:
    async with open_page(signed_in=signed_in) as visit:
        for path in OWN if signed_in else PUBLIC:
            await visit.go(path)
            await visit.page.wait_for_load_state("networkidle" if path != "/dashboard" else "load")
            expected = [_NOT_FOUND] if path == NOWHERE else []
            assert visit.complaints == expected, path
            visit.complaints.clear()


async def test_a_feature_that_the_browser_does_not_know_is_noticed_in_its_console(open_page: Open) -> None:
    async def with_a_stranger(route: Route) -> None:
        answer = await route.fetch()
        name = "permissions-policy"
        await route.fulfill(response=answer, headers={**answer.headers, name: f"{answer.headers[name]}, planted=()"})

    async with open_page(signed_in=False) as visit:
        await visit.page.route("**/pricing", with_a_stranger)
        await visit.go("/pricing")
        assert len(visit.complaints) == 1
        assert "planted" in visit.complaints[0]


async def test_a_fault_that_axe_should_find_is_found(open_page: Open) -> None:
    async with open_page(signed_in=False) as visit:
        await visit.go("/")
        await visit.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
        assert any(found.startswith("button-name") for found in await visit.axe())


async def test_a_script_that_somebody_puts_into_a_page_is_refused_and_noticed(open_page: Open) -> None:
    async with open_page(signed_in=False) as visit:
        await visit.go("/")
        await visit.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.planted = 1'}))"
        )
        assert await visit.page.evaluate("window.planted") is None
        assert [refused.split()[0] for refused in await visit.refused()] == ["script-src-elem"]


async def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(open_page: Open) -> None:
    async with open_page(viewport={"width": 1280, "height": 900}) as visit:
        await visit.go("/dashboard")
        await visit.page.wait_for_function("document.querySelector('.plot canvas') !== null")
        seen: list[str] = []
        while True:
            await visit.page.keyboard.press("Tab")
            here = await visit.page.evaluate(
                """() => {
                  const element = document.activeElement;
                  const style = getComputedStyle(element);
                  const visible = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                  return [element.tagName, element.textContent.trim() || element.value || "", visible];
                }"""
            )
            if here[0] == "BODY" or len(seen) > 100:
                break
            seen.append(here[1])
            assert here[2], f"nothing shows that the keyboard is at {here[1]!r}"
        assert seen[:2] == ["Skip to the content", "Crouter"]
        assert {"Usage", "Sign out", "Balance and top-up", "cost", "Every request, with filters and as CSV"} <= set(
            seen
        )
        await visit.go("/dashboard")
        await visit.page.keyboard.press("Tab")
        await visit.page.keyboard.press("Enter")
        assert await visit.page.evaluate("document.activeElement.id") == "main"


async def test_without_javascript_every_figure_is_there(open_page: Open) -> None:
    async with open_page(java_script_enabled=False) as visit:
        page = visit.page
        await page.goto(f"{visit.service.url}/dashboard")
        assert await page.locator("[data-live=requests]").inner_text() != "0"
        assert "load the page again for newer figures" in await page.locator("noscript").inner_html()
        await page.get_by_text("The numbers").first.click()
        assert await page.locator("#by-hour").count() == 1
        assert await page.locator("tr[data-moment]").count() > 24
        assert await page.locator("#measure").is_hidden()
        assert await page.locator("#live-state").is_hidden()
