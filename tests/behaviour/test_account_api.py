"""The account API as people and programs use it: who may do what, page after page, and never what is others'."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from tests.behaviour.in_thread import SignedIn, sign_in
from tests.behaviour.service import CREDIT_NANOUSD, Service, message, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
REQUESTS = 7
FOR_KEYS = ("/balance", "/limits", "/usage", "/usage/sums")
FOR_PEOPLE = ("", "/statement", "/keys", "/accesses")


@dataclass
class Site:
    """A service that was used, its customer, and somebody else."""

    service: Service
    http: aiohttp.ClientSession
    person: SignedIn
    stranger: SignedIn

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, Any]:
        url = f"{self.service.url}/api/account{path}"
        async with self.http.request(method, url, headers=headers or {}, json=body) as answer:
            assert answer.headers["request-id"].startswith("req_")
            assert answer.status != 200 or answer.headers["cache-control"] == "private, no-store"
            return answer.status, await answer.json()

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return await self.call("GET", path, headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str) -> AsyncIterator[Site]:
    copy = sql.SQL("CREATE DATABASE account_api TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with (
        serving(deployment, cluster.dsn("account_api"), generated) as service,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        for _ in range(REQUESTS):
            async with http.post(f"{service.url}/v1/messages", headers=service.headers(), json=message()) as answer:
                assert answer.status == 200
        assert len(await service.settled("usage")) == REQUESTS
        stranger = await service.accounts.create("eve@example.org", "Eve")
        yield Site(service, http, await sign_in(service), await sign_in(service, stranger))


@pytest.mark.parametrize("path", [*FOR_KEYS, *FOR_PEOPLE])
async def test_nobody_gets_anything(site: Site, path: str) -> None:
    for headers in ({}, {"x-api-key": "sk-cr-unknown"}, {"cookie": "__Host-crouter_session=AAAA"}):
        status, told = await site.get(path, headers)
        assert (status, told["type"], told["error"]["type"]) == (401, "error", "authentication_error")


@pytest.mark.parametrize("path", FOR_KEYS)
async def test_a_key_reads_what_it_may(site: Site, path: str) -> None:
    by_key = await site.get(path, {"x-api-key": site.service.key})
    assert by_key[0] == 200
    assert by_key == await site.get(path, site.person.headers)


@pytest.mark.parametrize("path", FOR_PEOPLE)
async def test_a_key_reads_nothing_that_names_a_person_or_a_key(site: Site, path: str) -> None:
    status, told = await site.get(path, {"authorization": f"Bearer {site.service.key}"})
    assert (status, told["error"]["type"]) == (403, "permission_error")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/keys", {}),
        ("POST", "/keys/{key}/rotate", {}),
        ("PATCH", "/keys/{key}", {"label": "mine"}),
        ("DELETE", "/keys/{key}", None),
        ("PATCH", "/limits", {"month_limit_nanousd": 1}),
    ],
)
async def test_a_key_changes_nothing(site: Site, method: str, path: str, body: Any) -> None:
    before = site.service.rows("api_key"), site.service.rows("account_limits")
    place = path.format(key=site.service.key_id)
    keyed = {"x-api-key": site.service.key}
    assert (await site.call(method, place, keyed, body))[0] == 403
    cookie = {"cookie": site.person.headers["cookie"]}
    for forged in (
        cookie,
        {**cookie, "x-form-token": "of-nobody"},
        {**site.person.headers, "sec-fetch-site": "cross-site"},
        {**cookie, "x-form-token": site.stranger.form_token},
    ):
        assert (await site.call(method, place, forged, body))[0] == 403
    if "{key}" in path:
        # Somebody else's key is not there.
        assert (await site.call(method, place, site.stranger.headers, body))[0] == 404
    assert (site.service.rows("api_key"), site.service.rows("account_limits")) == before


async def test_pages_follow_one_another_without_a_gap(site: Site) -> None:
    for path, key in (("/usage", "request_id"), ("/statement", "id")):
        _, whole = await site.get(path, site.person.headers)
        found: list[str] = []
        cursor = ""
        for _ in range(2 * REQUESTS):
            status, page = await site.get(f"{path}?limit=2{cursor}", site.person.headers)
            assert (status, len(page["data"]) <= 2) == (200, True)
            found += [row[key] for row in page["data"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == [row[key] for row in whole["data"]]
        assert len(set(found)) == len(found) >= REQUESTS


async def test_sums_are_those_of_the_records_whatever_they_are_grouped_by(site: Site) -> None:
    _, usage = await site.get("/usage", site.person.headers)
    cost = sum(row["cost_nanousd"] for row in usage["data"])
    output = sum(row["counts"]["output_tokens"] for row in usage["data"])
    assert min(cost, output) > 0
    for by in ("day", "hour", "model", "key"):
        _, sums = await site.get(f"/usage/sums?by={by}", site.person.headers)
        assert sum(group["requests"] for group in sums["data"]) == REQUESTS
        assert sum(group["cost_nanousd"] for group in sums["data"]) == cost
        assert sum(group["counts"]["output_tokens"] for group in sums["data"]) == output
    _, balance = await site.get("/balance", site.person.headers)
    assert balance["balance_nanousd"] == CREDIT_NANOUSD - cost
    assert balance["available_nanousd"] + balance["reserved_nanousd"] == balance["balance_nanousd"]
    _, statement = await site.get("/statement?kind=charge", site.person.headers)
    assert sum(entry["amount_nanousd"] for entry in statement["data"]) == -cost


async def test_filters_leave_out_what_they_say(site: Site) -> None:
    for query in ("model=another", "until=2020-01-01T00:00:00Z", f"api_key={uuid.uuid4()}"):
        assert (await site.get(f"/usage?{query}", site.person.headers))[1]["data"] == []
    assert len((await site.get("/usage?since=2020-01-01T00:00:00Z", site.person.headers))[1]["data"]) == REQUESTS


async def test_a_stranger_sees_none_of_it(site: Site) -> None:
    for path in ("/usage", "/statement", "/keys"):
        assert (await site.get(path, site.stranger.headers))[1]["data"] == []
    status, told = await site.get("", site.stranger.headers)
    assert (status, told["email"]) == (200, "eve@example.org")


async def test_wrong_parameters_are_told_without_being_quoted(site: Site) -> None:
    for query in ("limit=canary", "limit=0", "canary=1", "limit=1&limit=2", "since=canary", "cursor=canary", "%ff=1"):
        status, told = await site.get(f"/usage?{query}", site.person.headers)
        assert (status, told["error"]["type"]) == (400, "invalid_request_error")
        assert "canary" not in told["error"]["message"]


async def test_a_key_lives_and_ends_through_the_api(site: Site) -> None:
    me = site.stranger.headers
    status, made = await site.call("POST", "/keys", me, {"label": "laptop"})
    assert status == 201
    assert (await site.call("POST", "/keys", me, {}))[0] == 409
    place = f"/keys/{made['id']}"
    status, changed = await site.call("PATCH", place, me, {"month_limit_nanousd": 5})
    assert (status, changed["label"], changed["month_limit_nanousd"]) == (200, "laptop", 5)
    assert (await site.call("PATCH", place, me, {"month_limit_nanousd": None}))[1]["month_limit_nanousd"] is None
    status, rotated = await site.call("POST", f"{place}/rotate", me, {"grace_hours": 1})
    assert (status, rotated["before_ends_at"] is None) == (201, False)
    assert (await site.get("/balance", {"x-api-key": made["api_key"]}))[0] == 200
    status, ended = await site.call("DELETE", place, me)
    assert (status, ended["state"]) == (200, "revoked")
    assert (await site.get("/balance", {"x-api-key": made["api_key"]}))[0] == 401
    assert (await site.get("/balance", {"x-api-key": rotated["api_key"]}))[0] == 200
    told = (await site.get("/keys", me))[1]["data"]
    assert [key["state"] for key in told] == ["revoked", "active"]
    assert made["api_key"] not in str(told)


async def test_a_privacy_request_is_opened_once_and_is_its_owners(site: Site) -> None:
    status, opened = await site.call("POST", "/requests", site.person.headers, {"kind": "correction"})
    assert (status, opened["state"], opened["closed_at"]) == (201, "acknowledged", None)
    again = await site.call("POST", "/requests", site.person.headers, {"kind": "correction"})
    assert again == (201, opened)
    assert (await site.get("/requests", site.person.headers))[1]["data"] == [opened]
    assert (await site.get("/requests", site.stranger.headers))[1]["data"] == []
    assert (await site.call("POST", "/requests", site.person.headers, {"kind": "deletion"}))[0] == 400
