"""Signing in and out in development, sessions that end on the server, and forms that only our own pages can send."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from aiohttp.test_utils import make_mocked_request
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.identity.session_cookie import COOKIE, SessionCookie
from crouter.runtime.retention import RetentionOptions, run_retention
from crouter.runtime.server.exchange import Exchange
from tests.behaviour.browsing import SAME_ORIGIN, Person, sign_in
from tests.behaviour.service import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
async def person(site: Service) -> AsyncIterator[Person]:
    async with Person(site.url) as browser:
        yield browser


async def is_signed_in(person: Person) -> bool:
    answer = await person.get("/sign-in")
    assert answer.status in (200, 303)
    return answer.status == 303


def form_token(site: Service, value: str) -> str:
    """The token that stands in the forms of whoever holds this cookie."""
    held = SessionCookie(site.running.parts.settings.identity.session_keys).read(value)
    assert held is not None
    return held.form_token


def session_rows(site: Service) -> dict[uuid.UUID, dict[str, object]]:
    return {row["id"]: row for row in site.rows("session")}


@pytest.mark.claim("cookie-essential", by="cookie_register")
async def test_cookie_essential__one_click_signs_the_development_account_in_with_the_declared_cookie(
    site: Service, person: Person
) -> None:
    page = await person.get("/sign-in?next=/privacy")
    assert "This is development" in page.text
    assert 'name="next" value="/privacy"' in page.text
    assert not await is_signed_in(person)
    answer = await person.post("/sign-in", {"next": "/privacy"})
    (line,) = answer.cookies()
    declared = next(c for c in site.running.parts.deployment.web.cookies if c.name == COOKIE)
    attributes = f"; Path=/; Max-Age={declared.max_age_seconds}; Secure; HttpOnly; SameSite=Lax"
    assert line == f"{COOKIE}={person.cookies[COOKIE]}{attributes}"
    assert await is_signed_in(person)


@pytest.mark.claim("collect-session", by="declared_columns")
async def test_collect_session__a_session_lasts_as_long_as_the_policy_says_of_its_cookie(
    site: Service, person: Person
) -> None:
    before = session_rows(site)
    value = await sign_in(person)
    ((new, row),) = [(key, row) for key, row in session_rows(site).items() if key not in before]
    assert row["account_id"] == site.account
    assert row["expires_at"] - row["created_at"] == timedelta(days=14)  # type: ignore[operator]
    # What the browser holds tells nobody whose session it is, or which.
    raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    assert new.bytes not in raw
    assert site.account.bytes not in raw
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("UPDATE crouter.session SET expires_at = now() WHERE id = %s", (new,))
    assert not await is_signed_in(person)


@pytest.mark.claim("retain-session", by="retention_job")
async def test_retain_session__a_session_is_gone_15_days_after_its_sign_in_ended_or_not(
    site: Service, person: Person
) -> None:
    before = session_rows(site)
    await sign_in(person)
    await sign_in(person)
    new = [key for key in session_rows(site) if key not in before]
    deployment, now = site.running.parts.deployment, datetime.now(UTC)
    for as_of, left in ((now + timedelta(days=14, hours=23), 2), (now + timedelta(days=15, minutes=1), 0)):
        options = RetentionOptions(rule="session", as_of=as_of, allow_future=True)
        (result,) = await asyncio.to_thread(run_retention, site.dsn, deployment, options)
        assert result.outcome == "complete"
        assert len([key for key in new if key in session_rows(site)]) == left


async def test_signing_out_ends_the_session_on_the_server_so_that_a_copied_cookie_is_dead(
    site: Service, person: Person
) -> None:
    value = await sign_in(person)
    async with Person(site.url) as thief:
        thief.cookies[COOKIE] = value
        assert await is_signed_in(thief)
        answer = await person.post("/sign-out", {"form_token": form_token(site, value)})
        assert (answer.status, answer.location) == (303, "/")
        assert COOKIE not in person.cookies
        assert not await is_signed_in(thief)
        again = await thief.post("/sign-out", {"form_token": form_token(site, value)})
        assert again.status == 403
        assert "You are signed out" in again.text


async def test_signing_in_gives_a_new_session_and_ends_the_one_that_the_browser_brought(
    site: Service, person: Person
) -> None:
    planted = await sign_in(person)
    assert await sign_in(person) != planted
    async with Person(site.url) as attacker:
        attacker.cookies[COOKIE] = planted
        assert not await is_signed_in(attacker)
    assert await is_signed_in(person)


async def test_a_cookie_that_was_changed_or_sealed_by_another_key_is_nobodys(site: Service, person: Person) -> None:
    value = await sign_in(person)
    changed = [value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :] for place in (0, 30, 60, 90)]
    other = SessionCookie(site.running.parts.settings.store.sealing).make(next(iter(session_rows(site))))
    for forged in [*changed, value[:-4], value * 2, "", "=", "%", other, "x" * 3000]:
        person.cookies[COOKIE] = forged
        assert not await is_signed_in(person)


async def test_what_was_sealed_for_the_other_cookie_is_no_session(site: Service, person: Person) -> None:
    sign_in_cookie = "__Host-crouter_sign_in"
    await sign_in(person)
    person.cookies = {sign_in_cookie: person.cookies[COOKIE], COOKIE: ""}
    answer = await person.post("/sign-in/take-back", {})
    assert answer.status == 409
    assert not await is_signed_in(person)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "", "origin": "null"},
        {"sec_fetch_site": "cross-site", "origin": "{url}"},
    ],
)
async def test_a_form_of_another_site_is_refused_even_with_the_right_token(
    site: Service, person: Person, headers: dict[str, str]
) -> None:
    value = await sign_in(person)
    told = {name: text.format(url=site.url) for name, text in headers.items()}
    told = {name.replace("_", "-"): text for name, text in told.items()}
    answer = await person.post("/sign-out", {"form_token": form_token(site, value)}, **told)
    assert answer.status == 403
    assert "That was not done" in answer.text
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert await is_signed_in(person)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"])
async def test_an_older_browser_tells_the_other_site_by_its_origin(site: Service, person: Person, origin: str) -> None:
    value = await sign_in(person)
    data = {"form_token": form_token(site, value)}
    sent = {"cookie": f"{COOKIE}={value}", "origin": origin}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{site.url}/sign-out", data=data, headers=sent, allow_redirects=False) as answer:
            assert answer.status == 403
        assert await is_signed_in(person)
        sent["origin"] = site.url
        async with http.post(f"{site.url}/sign-out", data=data, headers=sent, allow_redirects=False) as answer:
            assert answer.status == 303


async def test_two_tabs_a_form_of_an_earlier_sign_in_is_refused_and_says_why(site: Service, person: Person) -> None:
    earlier = form_token(site, await sign_in(person))
    await sign_in(person)
    answer = await person.post("/sign-out", {"form_token": earlier})
    assert answer.status == 403
    assert "signed in anew in another" in answer.text
    assert await is_signed_in(person)


@pytest.mark.parametrize("data", [{}, {"form_token": ""}, b"form_token=a&form_token=b", {"form_token": "é"}])
async def test_a_form_without_its_token_is_refused(site: Service, person: Person, data: dict[str, str] | bytes) -> None:
    await sign_in(person)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await person.post("/sign-out", data, **headers)).status == 403
    assert await is_signed_in(person)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b'{"form_token": "x"}', "application/json"),
        (b"a" * 70_000, "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"a=\xff", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=1"] * 600), "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_answered_with_a_page(person: Person, data: bytes, media_type: str) -> None:
    await sign_in(person)
    answer = await person.post("/sign-out", data, **{"content-type": media_type})
    assert answer.status == 400
    assert "That could not be read" in answer.text


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/privacy", "/privacy"),
        ("/dashboard/usage?month=2026-11", "/dashboard/usage?month=2026-11"),
        ("//evil.example", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("/a\\b", "/dashboard"),
        ("https://evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("/a\r\nset-cookie: x=1", "/dashboard"),
        ("/a b", "/dashboard"),
        ("/" + "a" * 600, "/dashboard"),
        ("/sign-in", "/dashboard"),
        ("/sign-out", "/dashboard"),
        ("", "/dashboard"),
    ],
)
async def test_after_signing_in_only_own_pages_are_gone_to(person: Person, wanted: str, given: str) -> None:
    assert (await person.post("/sign-in", {"next": wanted})).location == given


async def test_the_development_identity_is_for_this_machine_only(site: Service, person: Person) -> None:
    for headers in ({"x-forwarded-for": "192.0.2.1"}, {"host": "rebound.evil.example"}, {"cf-ray": "1"}):
        page = await person.get("/sign-in", **headers)
        assert "Sign in as the development account" not in page.text
        answer = await person.post("/sign-in", {}, **headers)
        assert answer.status == 403
        assert not answer.cookies()
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        assert (await person.post("/sign-in", {}, **headers)).status == 403


async def test_without_a_development_account_there_is_no_button_and_no_way_around_it(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with serving(deployment, dsn, generated) as service, Person(service.url) as person:
        page = await person.get("/sign-in")
        assert "no sign-in provider is set up" in page.text
        assert (await person.post("/sign-in", {})).status == 405
        assert (await person.get("/sign-in/google")).status == 404
        assert (await person.get("/sign-in/callback?code=x&state=y")).status == 404


async def test_an_account_that_is_being_deleted_is_signed_out_at_once_and_may_come_back(
    site: Service, person: Person
) -> None:
    await sign_in(person)
    await site.accounts.request_deletion(site.account)
    assert not await is_signed_in(person)
    page = await person.post("/sign-in", {})
    assert page.status == 403
    today = datetime.now(UTC)
    assert f"You asked for it on {today:%B} {today.day}, {today.year}." in page.text
    assert "taken back for 7 days" in page.text
    assert not await is_signed_in(person)
    answer = await person.post("/sign-in/take-back", {}, **{"sec-fetch-site": "cross-site"})
    assert answer.status == 403
    kept = dict(person.cookies)
    answer = await person.post("/sign-in/take-back", {})
    assert (answer.status, answer.location) == (303, "/dashboard")
    assert await is_signed_in(person)
    (row,) = [row for row in site.rows("account") if row["id"] == site.account]
    assert row["deletion_requested_at"] is None
    person.cookies = kept
    assert (await person.post("/sign-in/take-back", {})).status == 409, "there is nothing left to take back"


async def test_only_named_accounts_operate(deployment: Deployment, site: Service, person: Person) -> None:
    value = await sign_in(person)
    visitors = site.running.parts.visitors
    request = make_mocked_request("GET", "/", headers={"cookie": f"{COOKIE}={value}"})
    visitor = await visitors.of(Exchange(request))
    assert visitor is not None
    assert (visitor.account, visitor.is_operator) == (site.account, False)


async def test_no_page_is_kept_by_a_cache_and_none_tells_where_it_was(person: Person) -> None:
    page = await person.get("/sign-in?next=/privacy")
    assert page.header("cache-control") == "no-store"
    assert page.header("referrer-policy") == "no-referrer"
    assert "form-action 'self'" in (page.header("content-security-policy") or "")
    assert SAME_ORIGIN["origin"] == "null"
