"""The pages of operators: nothing is there for anybody else, nobody is named unasked, and every look is recorded."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.access_records import AccessRecords, NoReasonError, Operator
from crouter.runtime.database.errors import DatabaseRefusedError
from tests.behaviour.in_thread import SignedIn, sign_in
from tests.behaviour.service import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPERATOR = uuid.uuid4()
ADDRESSES = ("/admin", "/admin/account", "/admin/reconciliation")


@dataclass
class Site:
    """A service, somebody who operates it, and a customer."""

    service: Service
    http: aiohttp.ClientSession
    operator: SignedIn
    customer: SignedIn

    async def get(self, path: str, who: SignedIn | None = None, method: str = "GET") -> tuple[int, str]:
        headers = who.headers if who else {}
        async with self.http.request(method, self.service.url + path, headers=headers) as answer:
            return answer.status, re.sub("req_[0-9a-f]{32}", "req", await answer.text())

    async def look_up(self, who: SignedIn, **fields: str) -> tuple[int, str]:
        form = {"form_token": who.form_token, **fields}
        async with self.http.post(f"{self.service.url}/admin/account", headers=who.headers, data=form) as answer:
            return answer.status, re.sub("req_[0-9a-f]{32}", "req", await answer.text())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str) -> AsyncIterator[Site]:
    copy = sql.SQL("CREATE DATABASE administered TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    dsn = cluster.dsn("administered")
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO crouter.account (id, email, name, created_at) VALUES (%s, 'op@example.org', 'Op', now())",
            (OPERATOR,),
        )
    async with (
        serving(deployment, dsn, generated, CROUTER_OPERATORS=str(OPERATOR)) as service,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield Site(service, http, await sign_in(service, OPERATOR), await sign_in(service))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ADDRESSES)
async def test_for_anybody_else_there_is_nothing(site: Site, path: str, method: str) -> None:
    nothing = await site.get("/admin/nothing-of-the-kind", None, method)
    assert nothing[0] == 404
    assert await site.get(path, None, method) == nothing
    assert await site.get(path, site.customer, method) == nothing


async def test_the_overview_names_nobody(site: Site) -> None:
    status, page = await site.get("/admin", site.operator)
    assert status == 200
    assert str(site.service.account) in page
    for canary in ("ada@example.org", "Ada", "op@example.org"):
        assert canary not in page
    assert "$10.00" in page or "$5.00" in page
    assert site.service.rows("access_record") == []


@pytest.mark.claim("collect-access", by=["access_records"])
async def test_a_look_up_is_recorded_with_its_purpose_and_the_person_can_read_it(site: Site) -> None:
    status, page = await site.look_up(site.operator, account="ADA@example.org", purpose="question 17")
    assert status == 200
    assert "ada@example.org" in page
    (record,) = site.service.rows("access_record")
    assert (record["account_id"], record["reason"]) == (site.service.account, "question 17")
    assert record["operator"] == f"account {OPERATOR}"
    async with site.http.get(f"{site.service.url}/api/account/accesses", headers=site.customer.headers) as answer:
        (told,) = (await answer.json())["data"]
    assert (told["reason"], told["operator"]) == ("question 17", f"account {OPERATOR}")
    async with site.http.get(f"{site.service.url}/api/account/accesses", headers=site.operator.headers) as answer:
        assert (await answer.json())["data"] == []


@pytest.mark.claim("collect-access", by=["access_records"])
@pytest.mark.parametrize("purpose", ["", "  ", "ab", "x" * 201, "two\nlines"])
async def test_without_a_purpose_nothing_is_shown(site: Site, purpose: str) -> None:
    before = len(site.service.rows("access_record"))
    status, page = await site.look_up(site.operator, account="ada@example.org", purpose=purpose)
    assert status == 400
    assert "ada@example.org" not in page
    assert len(site.service.rows("access_record")) == before
    with pytest.raises(NoReasonError):
        Operator("somebody", purpose)


async def test_a_look_up_that_another_site_sends_is_refused(site: Site) -> None:
    form = {"account": "ada@example.org", "purpose": "a lure", "form_token": site.operator.form_token}
    headers = {**site.operator.headers, "sec-fetch-site": "cross-site"}
    async with site.http.post(f"{site.service.url}/admin/account", headers=headers, data=form) as answer:
        assert answer.status == 403
    headers = {**site.operator.headers, "x-form-token": ""}
    form["form_token"] = "of-nobody"
    async with site.http.post(f"{site.service.url}/admin/account", headers=headers, data=form) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("account", ["nobody@example.org", "00000000-0000-4000-8000-000000000000", "Ada", ""])
async def test_whoever_is_not_there_is_not_found(site: Site, account: str) -> None:
    assert (await site.look_up(site.operator, account=account, purpose="question 18"))[0] == 404


async def test_the_service_can_only_add_to_the_records(site: Site) -> None:
    parts = site.service.running.parts
    await AccessRecords(parts.deployment, parts.database).add(
        Operator("on-call", "a test of grants"), site.service.account, "nothing"
    )
    for change in ("UPDATE {} SET reason = ''", "DELETE FROM {}"):
        with pytest.raises(DatabaseRefusedError):
            async with parts.database.transaction() as connection:
                await connection.execute(sql.SQL(change).format(parts.database.table("access_record")))


async def test_reconciliation_is_shown_as_it_was_found_last(site: Site) -> None:
    assert "Nothing compared yet" in (await site.get("/admin/reconciliation", site.operator))[1]
    with psycopg.connect(site.service.dsn) as connection:
        for state, theirs in (("unexplained", 12), ("agrees", 10)):
            connection.execute(
                "INSERT INTO crouter.reconciliation "
                "(id, run_id, checked_at, source, day, subject, measure, ours, theirs, explanations, state) "
                "VALUES (gen_random_uuid(), gen_random_uuid(), clock_timestamp(), 'upstream', "
                "date_trunc('day', now()), 'claude', 'output_tokens', 10, %s, '{}', %s)",
                (theirs, state),
            )
            connection.commit()
            page = (await site.get("/admin/reconciliation", site.operator))[1]
            assert ("differ without an explanation" in page) == (state == "unexplained")
            assert f"<span>{theirs}</span>" in page
