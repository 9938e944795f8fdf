"""What an account sees of its usage: its own only, whole, exact, and live for as long as it is signed in."""

import asyncio
import csv
import io
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.dashboard import live
from crouter.runtime.dashboard.usage_reader import UsageReader
from crouter.runtime.identity.session_cookie import COOKIE
from crouter.runtime.server.site import events
from tests.behaviour.past import spend
from tests.behaviour.service import Service, message, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWN = {"sec-fetch-site": "same-origin"}
READ_SECONDS = 5.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str
) -> AsyncIterator[Service]:
    copy = sql.SQL("CREATE DATABASE account_usage TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with serving(deployment, cluster.dsn("account_usage"), generated, show_dashboard=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http(site: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that is signed in."""
    async with aiohttp.ClientSession(base_url=site.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with session.post("/sign-in", data={"next": "/"}, headers=OWN, allow_redirects=False) as answer:
            assert answer.status == 303
            value = answer.cookies[COOKIE].value
        session.headers["cookie"] = f"{COOKIE}={value}"
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(site: Service) -> tuple[uuid.UUID, uuid.UUID]:
    """Another account and its key."""
    account = await site.accounts.create(f"{uuid.uuid4()}@example.org", "Grace")
    return account, (await site.keys.create(account)).id


class Stream:
    """Server-sent events as they come."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> tuple[str, str, dict[str, str]]:
        """Id, name and data of the next event. Comments are passed over. Raises EOFError, TimeoutError."""
        async with asyncio.timeout(READ_SECONDS):
            while True:
                lines: dict[str, str] = {}
                while (line := (await self.answer.content.readline()).decode()) not in ("\n", ""):
                    name, _, value = line.rstrip("\n").partition(": ")
                    lines[name] = value
                if line == "" and not lines:
                    raise EOFError
                if "event" in lines:
                    return lines.get("id", ""), lines["event"], json.loads(lines["data"])


async def csv_rows(http: aiohttp.ClientSession, query: str) -> list[dict[str, str]]:
    async with http.get(f"/dashboard/usage.csv?{query}") as answer:
        assert answer.status == 200
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        return list(csv.DictReader(io.StringIO(await answer.text())))


async def test_a_csv_of_many_pieces_is_whole_in_order_and_exact(
    site: Service, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UsageReader.rows, "__defaults__", (None, 7))
    same = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    with psycopg.connect(site.dsn) as connection:
        # Several at the same moment, across the borders of pieces.
        told = {
            str(spend(connection, site, same + timedelta(seconds=number // 5), used=(number, 1, 0)))
            for number in range(40)
        }
        spend(connection, site, datetime(2026, 3, 3, 23, 59, 59, 999999, tzinfo=UTC))
        spend(connection, site, datetime(2026, 3, 5, tzinfo=UTC))
    rows = await csv_rows(http, "from=2026-03-04&to=2026-03-04")
    assert {row["id"] for row in rows} == told
    assert len(rows) == 40
    assert [row["occurred_at"] for row in rows] == sorted((row["occurred_at"] for row in rows), reverse=True)
    cost = sum(int(row["cost_usd"].replace(".", "")) for row in rows)
    assert cost == 300 * sum(range(40)) + 40 * 1500


async def test_pages_of_the_table_are_whole_while_new_rows_come(site: Service, http: aiohttp.ClientSession) -> None:
    day = datetime(2026, 4, 1, 12, tzinfo=UTC)
    with psycopg.connect(site.dsn) as connection:
        for number in range(120):
            spend(connection, site, day + timedelta(seconds=number), used=(number, 1, 0))
    path, seen = "/dashboard/usage?from=2026-04-01&to=2026-04-01", list[str]()
    while path:
        async with http.get(path) as answer:
            page = await answer.text()
        seen += re.findall(r"<span>(2026-04-01 12:\d\d:\d\d)</span>", page)
        with psycopg.connect(site.dsn) as connection:
            spend(connection, site, day + timedelta(hours=1))
        older = re.search(r'href="(/dashboard/usage\?[^"]*after=[^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 120


async def test_another_accounts_rows_are_nowhere_and_its_key_is_not_found(
    site: Service, http: aiohttp.ClientSession, stranger: tuple[uuid.UUID, uuid.UUID]
) -> None:
    account, key = stranger
    with psycopg.connect(site.dsn) as connection:
        spend(connection, site, datetime.now(UTC), "claude-opus-4-8", account=account, key=key)
    for path in ("/dashboard", "/dashboard/usage"):
        async with http.get(path) as answer:
            page = await answer.text()
        assert answer.status == 200
        assert "claude-opus-4-8" not in page
        assert str(key) not in page
    assert all(row["model"] != "claude-opus-4-8" for row in await csv_rows(http, ""))
    for path in (
        f"/dashboard/usage?key={key}",
        f"/dashboard/usage.csv?key={key}",
        f"/dashboard/usage?key={uuid.uuid4()}",
    ):
        async with http.get(path) as answer:
            assert answer.status == 404
            assert "There is no such key" in await answer.text()


@pytest.mark.parametrize("query", ["from=yesterday", "from=2026-02-30", "from=2026-05-02&to=2026-05-01", "after=x"])
async def test_an_address_that_cannot_be_read_says_what_to_do(http: aiohttp.ClientSession, query: str) -> None:
    async with http.get(f"/dashboard/usage?{query}") as answer:
        assert (answer.status, answer.content_type) == (400, "text/html")
        assert re.search(r'class="error"|role="status"', await answer.text())


async def test_events_tell_counts_of_one_account_and_nothing_twice(
    site: Service, http: aiohttp.ClientSession, stranger: tuple[uuid.UUID, uuid.UUID]
) -> None:
    account, key = stranger
    async with http.get("/dashboard/events") as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        stream = Stream(answer)
        _, name, before = await stream.next()
        assert name == "usage"
        with psycopg.connect(site.dsn) as connection:
            spend(connection, site, datetime.now(UTC), account=account, key=key)
            spend(connection, site, datetime.now(UTC), used=(1000, 200, 30))
        last, _, after = await stream.next()
    number = {name: int(text.replace(",", "")) for name, text in after.items() if text.replace(",", "").isdigit()}
    assert number["requests"] == int(before["requests"].replace(",", "")) + 1
    assert number["tokens"] == int(before["tokens"].replace(",", "")) + 1230
    assert number["output_tokens"] == int(before["output_tokens"].replace(",", "")) + 200
    assert set(after) - {f"minute_{site.key_id.hex}"} == {
        "requests", "tokens", "prompt_tokens", "output_tokens", "cost", "cost_exact", "balance", "balance_exact",
    }  # fmt: skip
    async with http.get("/dashboard/events", headers={"last-event-id": last}) as again:
        stream = Stream(again)
        with psycopg.connect(site.dsn) as connection:
            spend(connection, site, datetime.now(UTC))
        _, _, told = await stream.next()
        assert told["requests"] != after["requests"]


async def test_a_row_that_comes_late_is_counted_within_a_minute(
    site: Service, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REFRESH", timedelta(seconds=1.5))
    now = datetime.now(UTC)
    late = max(now - timedelta(minutes=10), now.replace(hour=0, minute=0, second=0, microsecond=0))
    async with http.get("/dashboard/events") as answer:
        stream = Stream(answer)
        _, _, before = await stream.next()
        with psycopg.connect(site.dsn) as connection:
            spend(connection, site, late)
        _, _, after = await stream.next()
    assert int(after["requests"].replace(",", "")) == int(before["requests"].replace(",", "")) + 1


async def test_a_session_has_few_streams_and_whoever_is_not_signed_in_none(
    site: Service, http: aiohttp.ClientSession
) -> None:
    answers = []
    try:
        for _ in range(live.SESSION_STREAMS_MAX):
            answers.append(await http.get("/dashboard/events"))
        async with http.get("/dashboard/events") as refused:
            assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    finally:
        for answer in answers:
            answer.close()
    assert [answer.status for answer in answers] == [200] * live.SESSION_STREAMS_MAX
    async with aiohttp.ClientSession() as nobody, nobody.get(f"{site.url}/dashboard/events") as answer:
        # What a browser understands as: do not come back.
        assert answer.status == 204


async def test_signing_out_ends_the_stream(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SESSION_SECONDS", 0.2)
    async with http.get("/dashboard/setup") as page:
        token = re.search(r'name="form_token" value="([^"]+)"', await page.text())
    assert token is not None
    async with http.get("/dashboard/events") as answer:
        stream = Stream(answer)
        await stream.next()
        async with http.post("/sign-out", data={"form_token": token[1]}, headers=OWN, allow_redirects=False) as done:
            assert done.status == 303
        while (await stream.next())[1] != "end":
            pass
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_stream_does_not_hold_up_the_end_of_the_service(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with serving(deployment, dsn, generated, show_dashboard=True) as service:
            async with session.post(f"{service.url}/sign-in", data={}, headers=OWN, allow_redirects=False) as signed:
                cookie = f"{COOKIE}={signed.cookies[COOKIE].value}"
            answer = await session.get(f"{service.url}/dashboard/events", headers={"cookie": cookie})
            await Stream(answer).next()
            began = time.monotonic()
        # Whatever is under way would have five seconds.
        assert time.monotonic() - began < 2
        with pytest.raises(EOFError):
            await Stream(answer).next()
        answer.close()


@pytest.mark.claim("use-usage", by="purpose_bound_reads")
async def test_use_usage__the_dashboard_counts_what_the_service_recorded(
    site: Service, http: aiohttp.ClientSession
) -> None:
    async with http.post("/v1/messages", json=message("canary-of-the-dashboard"), headers=site.headers()) as sent:
        usage = (await sent.json())["usage"]
    await site.settled("usage")
    today = datetime.now(UTC).date().isoformat()
    newest = (await csv_rows(http, f"from={today}&to={today}"))[0]
    assert (newest["input_tokens"], newest["output_tokens"]) == (
        str(usage["input_tokens"]),
        str(usage["output_tokens"]),
    )
    (charge,) = (row for row in site.rows("ledger") if str(row["id"]) == newest["id"])
    assert int(newest["cost_usd"].replace(".", "")) == -charge["amount_nanousd"]
    async with http.get("/dashboard") as answer:
        page = await answer.text()
    assert "canary-of-the-dashboard" not in page
    assert "ada@example.org" not in page
