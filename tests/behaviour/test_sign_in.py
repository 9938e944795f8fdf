"""Signing in and out in development, sessions that end on the server, and forms that only our own pages can send."""

import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.identity.session_cookie import COOKIE
from tests.behaviour.service import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWN = {"sec-fetch-site": "same-origin"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str
) -> AsyncIterator[Service]:
    """One service with a development account for all tests of this module."""
    copy = sql.SQL("CREATE DATABASE sign_in TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with serving(deployment, cluster.dsn("sign_in"), generated, show_dashboard=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps no cookies and follows nothing, so that a test says what is sent."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def cookie_in(answer: aiohttp.ClientResponse) -> str:
    """The session's cookie that an answer sets."""
    (line,) = answer.headers.getall("set-cookie")
    assert line.endswith("; Secure; HttpOnly; SameSite=Lax")
    assert "Domain" not in line
    return SimpleCookie(line)[COOKIE].value


async def sign_in(http: aiohttp.ClientSession, site: Service, **headers: str) -> str:
    """Signs the development account in; the cookie's value."""
    async with http.post(
        f"{site.url}/sign-in", data={"next": "/privacy"}, headers=OWN | headers, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["location"]) == (303, "/privacy")
        return cookie_in(answer)


def with_cookie(value: str) -> dict[str, str]:
    return OWN | {"cookie": f"{COOKIE}={value}"}


async def is_signed_in(http: aiohttp.ClientSession, site: Service, value: str) -> bool:
    async with http.get(f"{site.url}/sign-in", headers=with_cookie(value), allow_redirects=False) as answer:
        assert answer.status in (200, 303)
        return answer.status == 303


async def test_one_click_signs_the_development_account_in(site: Service, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{site.url}/sign-in?next=/privacy") as page:
        text = await page.text()
    assert "This is development" in text
    assert re.search(r'name="next" value="/privacy"', text)
    assert await is_signed_in(http, site, await sign_in(http, site))
