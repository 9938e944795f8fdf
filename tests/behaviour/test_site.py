"""Pages that everybody may see: assets, prices, status, set-up, and addresses where there is nothing."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from yarl import URL

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.dashboard import status
from crouter.runtime.web.amounts import usd
from tests.behaviour.service import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
READER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str
) -> AsyncIterator[Service]:
    copy = sql.SQL("CREATE DATABASE public_site TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with serving(deployment, cluster.dsn("public_site"), generated) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def text_of(http: aiohttp.ClientSession, site: Service, path: str, **headers: str) -> str:
    async with http.get(f"{site.url}{path}", headers=READER | headers) as answer:
        assert answer.status == 200, path
        return await answer.text()


async def test_files_of_a_page_may_be_kept_for_ever_under_their_digest(
    site: Service, http: aiohttp.ClientSession
) -> None:
    page = await text_of(http, site, "/")
    (address,) = set(re.findall(r'href="(/assets/[0-9a-f]{16}/crouter\.css)"', page))
    async with http.get(f"{site.url}{address}") as answer:
        assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        tag, sheet = answer.headers["etag"], await answer.read()
    async with http.get(f"{site.url}{address}", headers={"if-none-match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
    for other in ("/assets/crouter.css", f"/assets/{'0' * 16}/crouter.css"):
        async with http.get(f"{site.url}{other}") as answer:
            assert (await answer.read(), answer.headers["cache-control"]) == (sheet, "public, max-age=300")


@pytest.mark.parametrize("name", ["missing.js", "..%2ftemplates.py", "../templates.py", "page.py", ".css"])
async def test_nothing_but_assets_is_served_as_one(site: Service, http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(URL(f"{site.url}/assets/{name}", encoded=True)) as answer:
        assert answer.status == 404


async def test_a_page_is_the_same_for_everybody_and_is_not_sent_twice(
    site: Service, http: aiohttp.ClientSession
) -> None:
    for path in ("/", "/pricing"):
        async with http.get(f"{site.url}{path}") as first:
            assert first.headers["cache-control"] == "public, max-age=300"
            assert "cookie" in first.headers["vary"]
            tag = first.headers["etag"]
        async with http.get(f"{site.url}{path}", headers={"if-none-match": tag}) as second:
            assert second.status == 304


async def test_the_home_page_says_in_the_words_of_the_policy_what_is_not_done(
    site: Service, http: aiohttp.ClientSession, generated: Path
) -> None:
    page = await text_of(http, site, "/")
    policy = json.loads((generated / "policy" / "privacy-policy.json").read_text(encoding="utf-8"))
    claims = [claim for section in policy["sections"] for claim in section["claims"] if claim["says"] == "excludes"]
    assert len(claims) >= 3
    for claim in claims:
        assert claim["sentences"][0]["text"] in page
        assert f'href="/privacy/proof#{claim["id"]}"' in page


async def test_every_rate_of_every_model_is_published(site: Service, http: aiohttp.ClientSession) -> None:
    page = await text_of(http, site, "/pricing")
    prices = site.running.parts.prices
    for model in prices.model_ids:
        (section,) = re.findall(rf"<summary><code>{re.escape(model)}</code></summary>(.*?)</details>", page, re.DOTALL)
        rows = re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", section)
        listed = [(one, tier) for one in prices.prices_of(model) for tier in one.price.tiers]
        assert len(rows) == len(listed) > 0
        for row, (one, tier) in zip(rows, listed, strict=True):
            assert f"<span>{usd(tier.rate.input * 1_000_000)}</span>" in row
            assert f"<span>{usd(tier.rate.output * 1_000_000)}</span>" in row
            for moment in (one.begins, one.ends):
                assert moment is None or moment.strftime("%Y-%m-%d") in row
    assert prices.version in page


async def test_status_tells_of_parts_and_of_nobody(
    site: Service, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "KEPT_SECONDS", 0.0)
    told = json.loads(await text_of(http, site, "/status.json"))
    assert {part["name"] for part in told["parts"]} >= {"proxy", "upstream", "database", "sign_in", "retention"}
    assert told["status"] == "up"
    assert all(set(part) == {"name", "label", "status", "meaning"} for part in told["parts"])
    heartbeat = site.running.parts.heartbeat
    heartbeat.late = frozenset({"usage"})
    try:
        assert json.loads(await text_of(http, site, "/status.json"))["status"] == "limited"
        assert "Late: usage" in await text_of(http, site, "/status")
    finally:
        heartbeat.late = frozenset()


async def test_a_person_gets_a_page_where_there_is_none_and_a_program_an_error(
    site: Service, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{site.url}/nowhere", headers=READER) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert "There is no such page" in await answer.text()
    for path, headers in (("/nowhere", {"accept": "*/*"}), ("/v1/nowhere", READER)):
        async with http.get(f"{site.url}{path}", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (404, "application/json")
            assert (await answer.json())["type"] == "error"


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/usage", "/dashboard/usage.csv", "/dashboard/setup"])
async def test_pages_of_an_account_ask_to_sign_in(site: Service, http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(f"{site.url}{path}", headers=READER, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2Fdashboard")
