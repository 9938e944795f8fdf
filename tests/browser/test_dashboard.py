"""The dashboard as its owner sees it: figures that move while requests pass, charts, a table and the same as CSV."""

import contextlib
import csv
import dataclasses
import io
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psycopg
import pytest
from playwright.async_api import Page, expect

from crouter.runtime.metrics import Metrics
from crouter.runtime.running import running, service_log
from tests.behaviour.deployment import Generated
from tests.behaviour.past import spend
from tests.behaviour.service import Service, message, until
from tests.browser.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")
LATE_SECONDS = 3.0
"""A request shows this long after its end, at the latest; about one is usual."""


async def figure(page: Page, name: str) -> int:
    text = await page.locator(f"[data-live={name}]").inner_text()
    return int(re.sub(r"[^0-9-]", "", text))


async def until_figure(page: Page, name: str, least: int, seconds: float = LATE_SECONDS) -> int:
    async def is_there() -> bool:
        return await figure(page, name) >= least

    await until(is_there, seconds)
    return await figure(page, name)


async def send(service: Service, url: str | None = None) -> dict[str, int]:
    """One request that ends well; its usage."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url or service.url}/v1/messages", json=message(), headers=service.headers()) as answer,
    ):
        assert answer.status == 200
        usage: dict[str, int] = (await answer.json())["usage"]
        return usage


@contextlib.asynccontextmanager
async def another_node(site: Service, project: Generated, journal: Path) -> AsyncIterator[str]:
    """A second service on the same database, which knows nothing of the first; its address."""
    settings = dataclasses.replace(site.running.parts.settings, journal=journal)
    metrics = Metrics(project.deployment.metrics)
    log = service_log(project.deployment, io.StringIO(), metrics)
    async with running(project.deployment, settings, project.folder, log, metrics, grace_seconds=5) as other:
        yield other.url


@pytest.mark.claim("use-usage")
async def test_use_usage__figures_move_while_requests_pass_in_this_process_and_in_another(
    site: Service, project: Generated, open_page: Open, tmp_path: Path
) -> None:
    async with open_page() as visit:
        page = visit.page
        await visit.go("/dashboard")
        await expect(page.locator("#live-state")).to_have_text("Live")
        requests, tokens = await figure(page, "requests"), await figure(page, "tokens")
        balance = await figure(page, "balance")
        usage = await send(site)
        assert await until_figure(page, "requests", requests + 1) == requests + 1
        assert await figure(page, "tokens") == tokens + usage["input_tokens"] + usage["output_tokens"]
        async with another_node(site, project, tmp_path) as url:
            await send(site, url)
            assert await until_figure(page, "requests", requests + 2) == requests + 2
        assert await figure(page, "balance") <= balance
        assert await figure(page, f"minute_{site.key_id.hex}") >= 2
        assert visit.errors == []


async def test_a_sign_out_in_another_tab_ends_the_stream(site: Service, open_page: Open) -> None:
    del site
    async with open_page() as visit:
        await visit.go("/dashboard")
        await expect(visit.page.locator("#live-state")).to_have_text("Live")
        other = await visit.context.new_page()
        await other.goto(f"{visit.service.url}/status")
        await other.get_by_role("button", name="Sign out").click()
        await expect(visit.page.locator("#live-state")).to_have_text("You are signed out", timeout=15_000)


async def test_charts_are_drawn_from_the_numbers_below_them(open_page: Open) -> None:
    async with open_page(viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        await visit.go("/dashboard")
        await expect(page.locator(".plot canvas")).to_have_count(3)
        for measure in ("Tokens", "Requests", "Cost"):
            await page.get_by_role("radio", name=measure).check()
            label = await page.locator(".plot").nth(2).get_attribute("aria-label")
            assert label is not None
            most = re.fullmatch(rf"Models in the last 30 days: {measure.lower()}\. Most at (.+), (.+)\. All .*", label)
            assert most is not None, label
            row = page.locator(f"tr[data-name='{most[1]}']")
            cell = row.locator(f"[data-measure={measure.lower()}]")
            assert await cell.text_content() == most[2]
        painted = await page.evaluate(
            """() => [...document.querySelectorAll(".plot canvas")].map((canvas) =>
                new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
                  .data.buffer)).size > 3)"""
        )
        assert painted == [True, True, True]


async def test_the_csv_is_the_table_of_the_same_filter(site: Service, open_page: Open) -> None:
    with psycopg.connect(site.dsn) as connection:
        for minute in range(55):
            spend(connection, site, datetime(2026, 2, 3, 4, minute, 5, tzinfo=UTC), "claude-opus-5", (minute, 7, 0))
    async with open_page() as visit:
        page = visit.page
        await visit.go("/dashboard/usage")
        await page.get_by_label("From").fill("2026-02-03")
        await page.get_by_label("Through").fill("2026-02-03")
        await page.get_by_role("button", name="Show").click()
        await page.get_by_label("Model").select_option("claude-opus-5")
        await page.get_by_role("button", name="Show").click()
        rows = await table(page)
        await page.get_by_role("link", name="Older").click()
        await expect(page.get_by_role("link", name="Newest")).to_be_visible()
        rows += await table(page)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download as CSV").click()
        path = await (await download.value).path()
        with path.open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(io.StringIO(file.read())))
    assert len(rows) == len(told) == 55
    for row, line in zip(rows, told, strict=True):
        assert line["occurred_at"][:19].replace("T", " ") == row["Time"]
        assert (line["model"], line["input_tokens"] or "–") == (row["Model"], row["Input"])
        assert float(line["cost_usd"]) == float(row["Cost"].removeprefix("$"))
    assert sum(int(line["cost_usd"].replace(".", "")) for line in told) == 300 * sum(range(55)) + 55 * 7 * 1500


async def table(page: Page) -> list[dict[str, str]]:
    """The rows of the table, by column."""
    rows: list[dict[str, str]] = await page.locator("table").evaluate(
        """(table) => [...table.tBodies[0].rows].map((row) =>
             Object.fromEntries([...row.cells].map((cell) => [cell.dataset.label, cell.textContent.trim()])))"""
    )
    return rows
