"""The page of keys: a key is shown once, changes need our own form, and another account's keys do not exist."""

import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from tests.behaviour.browsing import Person, sign_in
from tests.behaviour.service import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = re.compile(r"sk-cr-[0-9A-Za-z]{49}")


class Browser:
    """Somebody who is signed in."""

    def __init__(self, person: Person) -> None:
        self.person = person

    async def get(self, path: str) -> tuple[int, str]:
        answer = await self.person.get(path)
        assert answer.header("cache-control") == "no-store"
        return answer.status, answer.text

    async def post(self, path: str, token: str | None = None, **fields: str) -> tuple[int, str]:
        """Sends a form of the page of keys."""
        await self.get("/dashboard/keys")
        answer = await self.person.send(path, token, **fields)
        return answer.status, answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str
) -> AsyncIterator[Service]:
    copy = sql.SQL("CREATE DATABASE key_pages TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with serving(deployment, cluster.dsn("key_pages"), generated, show_dashboard=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site: Service) -> AsyncIterator[Browser]:
    async with Person(site.url) as person:
        await sign_in(person)
        yield Browser(person)


async def active_key(site: Service) -> str:
    return str(next(key.id for key in await site.keys.list(site.account) if key.revoked_at is None))


async def test_nobody_sees_keys_without_signing_in(site: Service) -> None:
    async with Person(site.url) as nobody:
        answer = await nobody.get("/dashboard/keys")
        assert (answer.status, answer.location) == (303, "/sign-in?next=%2Fdashboard%2Fkeys")
        assert (await nobody.post("/dashboard/keys", {})).status == 403


async def test_a_replaced_key_is_shown_once_and_both_are_listed(site: Service, browser: Browser) -> None:
    old = await active_key(site)
    status, page = await browser.post(f"/dashboard/keys/{old}/rotate")
    (key,) = set(KEY.findall(page))
    assert status == 200
    assert "It is shown this once" in page
    status, page = await browser.get("/dashboard/keys")
    assert status == 200
    assert key not in page
    assert page.count("sk-cr-…") >= 2
    assert "replaced" in page
    # Sent again, as a browser does on reload: that key was replaced already.
    status, page = await browser.post(f"/dashboard/keys/{old}/rotate")
    assert status == 404
    assert not KEY.search(page)
    # A full account gets no further one.
    status, page = await browser.post("/dashboard/keys", label="another")
    assert status == 409
    assert not KEY.search(page)


async def test_names_and_limits_are_kept_and_bad_ones_are_told(site: Service, browser: Browser) -> None:
    key = await active_key(site)
    assert (await browser.post(f"/dashboard/keys/{key}/name", label="<b>laptop</b>"))[0] == 303
    assert (await browser.post(f"/dashboard/keys/{key}/limit", limit="12.50"))[0] == 303
    assert (await browser.post("/dashboard/keys/limit", limit="100"))[0] == 303
    _, page = await browser.get("/dashboard/keys")
    assert "&lt;b&gt;laptop&lt;/b&gt;" in page
    assert "<b>laptop</b>" not in page
    assert 'value="12.50"' in page
    assert 'value="100.00"' in page
    assert (await browser.post(f"/dashboard/keys/{key}/limit", limit="lots"))[0] == 400
    assert (await browser.post(f"/dashboard/keys/{key}/name", label="x" * 61))[0] == 400


async def test_a_key_is_revoked_after_a_question(site: Service, browser: Browser) -> None:
    key = await active_key(site)
    status, page = await browser.get(f"/dashboard/keys/{key}/revoke")
    assert status == 200
    assert "cannot be brought back" in page
    assert (await browser.post(f"/dashboard/keys/{key}/revoke"))[0] == 303
    assert (await browser.post(f"/dashboard/keys/{key}/revoke"))[0] == 404
    status, page = await browser.post("/dashboard/keys", label="new")
    assert status == 200
    assert len(set(KEY.findall(page))) == 1


async def test_forms_of_others_and_keys_of_others_are_refused(site: Service, browser: Browser) -> None:
    key = await active_key(site)
    assert (await browser.post(f"/dashboard/keys/{key}/revoke", token="guessed"))[0] == 403
    stranger = await site.accounts.create("grace@example.org", "Grace")
    foreign = await site.keys.create(stranger)
    for path in (f"{foreign.id}/revoke", f"{foreign.id}/rotate", f"{foreign.id}/name", f"{uuid.uuid4()}/limit"):
        assert (await browser.post(f"/dashboard/keys/{path}"))[0] == 404
    assert (await browser.get(f"/dashboard/keys/{foreign.id}/revoke"))[0] == 404
    assert (await site.keys.list(stranger))[0].revoked_at is None
