"""Signing in with Google, in a service that asks the contract server of Supabase Auth."""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.identity.session_cookie import COOKIE
from tests.behaviour.browsing import Answer, Person
from tests.behaviour.service import Service, message, serving, until
from tests.contract.supabase_auth.people import GoogleAccount, User
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseAuth

pytestmark = pytest.mark.asyncio(loop_scope="module")
FLOW_COOKIE = "__Host-crouter_sign_in"


@dataclass
class Site:
    """A service and the project of Supabase that it asks."""

    service: Service
    auth: SupabaseAuth

    def account(self, email: str) -> dict[str, Any]:
        (row,) = [row for row in self.service.rows("account") if row["email"] == email]
        return row


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str) -> AsyncIterator[Site]:
    copy = sql.SQL("CREATE DATABASE google_sign_in TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    auth = SupabaseAuth()
    async with auth.serving() as url:
        settings: dict[str, Any] = {
            "CROUTER_SUPABASE_URL": url,
            "CROUTER_SUPABASE_KEY": PUBLISHABLE_KEY,
            "CROUTER_SUPABASE_SECRET_KEY": SECRET_KEY,
        }
        async with serving(deployment, cluster.dsn("google_sign_in"), generated, **settings) as service:
            auth.site_url = service.url
            yield Site(service, auth)


@pytest.fixture(autouse=True)
def straight(site: Site) -> None:
    """What a test before has bent is straight again, and everybody is somebody new."""
    site.auth.is_down = site.auth.keys_down = False
    site.auth.bend, site.auth.access_token, site.auth.claims = None, None, {}
    unique = uuid.uuid4().hex[:8]
    site.auth.people = [GoogleAccount(f"sub-{unique}", f"grace-{unique}@example.org")]


@pytest_asyncio.fixture(loop_scope="module")
async def person(site: Site) -> AsyncIterator[Person]:
    async with Person(site.service.url) as browser:
        yield browser


async def to_google(person: Person, target: str = "/sign-in/google?next=/privacy") -> Answer:
    """Goes to the consent page."""
    begun = await person.get(target)
    assert begun.status == 303
    at_supabase = await person.get(begun.location)
    return await person.get(begun.location.partition("/auth/")[0] + at_supabase.location)


async def back(person: Person, site: Site, consent: Answer, *, cancel: bool = False) -> str:
    """Answers the consent page; the path of ours that the browser is sent to."""
    links = [unescape(part.partition('"')[0]) for part in consent.text.split('href="')[1:]]
    to_callback = await person.get(site.auth.url + links[-1 if cancel else 0])
    returned = await person.get(site.auth.url + to_callback.location)
    assert returned.location.startswith(f"{site.service.url}/sign-in/callback?")
    return returned.location.removeprefix(site.service.url)


async def sign_in(person: Person, site: Site) -> Answer:
    return await person.get(await back(person, site, await to_google(person)))


async def is_signed_in(person: Person) -> bool:
    return (await person.get("/sign-in")).status == 303


async def overdue(site: Site) -> None:
    """Makes every session ask its provider at the next request."""
    with psycopg.connect(site.service.dsn, autocommit=True) as connection:
        connection.execute("UPDATE crouter.session SET renew_at = now() WHERE renew_at IS NOT NULL")


@pytest.mark.claim("collect-account", by=["declared_columns", "identity_adapter"])
async def test_collect_account__of_an_identity_with_picture_locale_and_phone_none_is_stored(
    site: Site, person: Person
) -> None:
    page = await person.get("/sign-in?next=/privacy")
    assert 'href="/sign-in/google?next=/privacy"' in page.text
    answer = await sign_in(person, site)
    assert (answer.status, answer.location) == (303, "/privacy")
    assert await is_signed_in(person)
    (google,) = site.auth.people
    row = site.account(google.email)
    assert row["name"] == google.name
    assert row["id"] in site.auth.users, "the account's id is the identity's subject"
    stored = json.dumps(
        [site.service.rows(record.name) for record in site.service.running.parts.deployment.records], default=str
    )
    for unwanted in (google.picture, google.locale, google.phone, google.sub, "google-token-canary", "1//google"):
        assert unwanted not in stored
        assert unwanted not in site.service.out.getvalue()
    for token in (token for session in site.auth.sessions.open.values() for token in session.tokens):
        assert token not in stored, "what the provider is asked with is sealed"


@pytest.mark.claim("cookie-essential", by="cookie_register")
async def test_cookie_essential__a_sign_in_sets_declared_cookies_only_and_leaves_one(
    site: Site, person: Person
) -> None:
    declared = {cookie.name for cookie in site.service.running.parts.deployment.web.cookies}
    await to_google(person)
    assert set(person.cookies) == {FLOW_COOKIE}
    await sign_in(person, site)
    assert set(person.cookies) == {COOKIE}
    assert {FLOW_COOKIE, COOKIE} <= declared


async def test_the_same_person_comes_to_the_same_account_and_is_asked_nothing_new(site: Site, person: Person) -> None:
    await sign_in(person, site)
    (google,) = site.auth.people
    before = site.account(google.email)
    site.auth.people = [GoogleAccount(google.sub, google.email, name="Another Name")]
    await sign_in(person, site)
    assert site.account(google.email) == before


async def test_who_goes_back_at_google_is_told_so(site: Site, person: Person) -> None:
    answer = await person.get(await back(person, site, await to_google(person), cancel=True))
    assert answer.status == 403
    assert "You did not sign in" in answer.text
    assert not await is_signed_in(person)
    assert FLOW_COOKIE not in person.cookies


async def test_an_unverified_address_is_refused_with_a_page_that_says_what_to_do(site: Site, person: Person) -> None:
    site.auth.people = [GoogleAccount("unverified", "unverified@example.org", email_verified=False)]
    answer = await sign_in(person, site)
    assert answer.status == 403
    assert "Your e-mail address is not verified" in answer.text
    assert "unverified@example.org" not in json.dumps(site.service.rows("account"), default=str)


def _without_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "user": {name: value for name, value in answer["user"].items() if name != "id"}}


@pytest.mark.parametrize(
    ("claims", "bend", "title"),
    [
        ({"aud": "somebody-else"}, None, "This sign-in was not meant for us"),
        ({"iss": "https://other.supabase.co/auth/v1"}, None, "This sign-in was not meant for us"),
        ({"exp": 1_700_000_000}, None, "This sign-in was not meant for us"),
        ({"sub": "not-a-uuid"}, None, "We could not tell who you are"),
        ({}, _without_id, "We could not tell who you are"),
    ],
)
async def test_a_token_or_an_answer_that_is_not_for_us_signs_nobody_in(
    site: Site,
    person: Person,
    claims: dict[str, Any],
    bend: Callable[[dict[str, Any]], Any] | None,
    title: str,
) -> None:
    site.auth.claims, site.auth.bend = claims, bend
    before = site.service.rows("account")
    answer = await sign_in(person, site)
    assert (answer.status, title in answer.text) == (403, True)
    assert not await is_signed_in(person)
    assert site.service.rows("account") == before


async def test_a_callback_that_is_replayed_signs_nobody_in(site: Site, person: Person) -> None:
    consent = await to_google(person)
    flow = person.cookies[FLOW_COOKIE]
    callback = await back(person, site, consent)
    assert (await person.get(callback)).status == 303
    async with Person(site.service.url) as attacker:
        attacker.cookies[FLOW_COOKIE] = flow
        answer = await attacker.get(callback)
        assert answer.status == 403
        assert "This sign-in is over" in answer.text
        assert not await is_signed_in(attacker)


async def test_a_callback_of_another_browser_signs_nobody_in(site: Site, person: Person) -> None:
    callback = await back(person, site, await to_google(person))
    async with Person(site.service.url) as victim:
        assert (await victim.get(callback)).status == 403
        await to_google(victim)
        answer = await victim.get(callback)
        assert "This sign-in is over" in answer.text
        assert not await is_signed_in(victim)
    assert not [seen for seen in site.auth.calls("/token") if callback.partition("code=")[2] in seen.body.decode()]


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "code=&state=", "state=a&state=b&code=x", "a=1&" * 30, "code=x&state=%ff"]
)
async def test_a_callback_that_nobody_began_is_answered_with_a_page(person: Person, query: str) -> None:
    answer = await person.get(f"/sign-in/callback?{query}")
    assert answer.status == 403
    assert "This sign-in is over" in answer.text


async def test_two_tabs_the_sign_in_that_was_begun_last_works(site: Site, person: Person) -> None:
    first = await to_google(person)
    second = await to_google(person)
    assert (await person.get(await back(person, site, first))).status == 403
    await to_google(person)
    del second
    assert (await sign_in(person, site)).status == 303


async def test_a_sign_in_brings_nobody_to_a_page_of_another_site(site: Site, person: Person) -> None:
    consent = await to_google(person, "/sign-in/google?next=//evil.example/")
    assert (await person.get(await back(person, site, consent))).location == "/dashboard"


async def test_an_account_with_the_same_address_and_another_subject_is_not_taken_over(
    site: Site, person: Person
) -> None:
    site.auth.people = [GoogleAccount("another", "ADA@example.org")]
    answer = await sign_in(person, site)
    assert answer.status == 403
    assert "This address belongs to another account" in answer.text
    assert site.account("ada@example.org")["id"] == site.service.account
    assert not await is_signed_in(person)


async def test_an_account_that_the_operator_made_for_a_subject_is_that_persons(site: Site, person: Person) -> None:
    (google,) = site.auth.people
    user = User(google)
    site.auth.users[user.id] = user
    made = await site.service.accounts.create(google.email, "As the operator wrote it", account=user.id)
    assert (await sign_in(person, site)).status == 303
    row = site.account(google.email)
    assert (row["id"], row["name"]) == (made, "As the operator wrote it")


async def test_with_the_provider_away_people_are_told_and_everything_else_goes_on(site: Site, person: Person) -> None:
    await sign_in(person, site)
    await overdue(site)
    callback = await back(person, site, await to_google(person))
    site.auth.is_down = True
    answer = await person.get(callback)
    assert answer.status == 503
    assert "Signing in does not work at the moment" in answer.text
    assert await is_signed_in(person), "whoever is signed in stays so"
    async with person._http.post(
        f"{site.service.url}/v1/messages", json=message(), headers=site.service.headers()
    ) as served:
        assert served.status == 200
    site.auth.is_down = False
    assert (await person.get(callback)).status == 303, "the same answer works when the provider is back"


async def test_whom_the_provider_throws_out_is_out_within_the_hour(site: Site, person: Person) -> None:
    await sign_in(person, site)
    (google,) = site.auth.people
    subject = site.account(google.email)["id"]
    await overdue(site)
    assert await is_signed_in(person)
    site.auth.users[subject].banned = True
    assert await is_signed_in(person), "asked a moment ago"
    await overdue(site)
    assert not await is_signed_in(person)
    (row,) = [row for row in site.service.rows("session") if row["account_id"] == subject]
    assert row["ended_at"] is not None
    assert row["renewal"] is None


async def test_many_tabs_at_once_ask_the_provider_once(site: Site, person: Person) -> None:
    await sign_in(person, site)
    await overdue(site)
    asked = len(site.auth.calls("/token"))
    for _ in range(4):
        assert await is_signed_in(person)
    assert len(site.auth.calls("/token")) - asked == 1


async def test_signing_out_ends_the_session_of_the_provider_too(site: Site, person: Person) -> None:
    await sign_in(person, site)
    (google,) = site.auth.people
    subject = site.account(google.email)["id"]

    def lasting() -> list[uuid.UUID]:
        return [session.id for session in site.auth.sessions.open.values() if session.user.id == subject]

    assert len(lasting()) == 1
    await sign_in(person, site)
    await until(lambda: len(lasting()) == 1)
    visitors: Any = site.service.running.parts.visitors
    token = visitors._cookie.read(person.cookies[COOKIE]).form_token
    assert (await person.post("/sign-out", {"form_token": token})).status == 303
    await until(lambda: not lasting())


async def test_whose_account_is_being_deleted_may_take_it_back_by_signing_in(site: Site, person: Person) -> None:
    await sign_in(person, site)
    (google,) = site.auth.people
    subject = site.account(google.email)["id"]
    await site.service.accounts.request_deletion(subject)
    answer = await sign_in(person, site)
    assert answer.status == 403
    assert "Your account is being deleted" in answer.text
    assert COOKIE not in person.cookies or not await is_signed_in(person)
    async with Person(site.service.url) as stranger:
        assert (await stranger.post("/sign-in/take-back", {})).status == 409
    assert (await person.post("/sign-in/take-back", {})).status == 303
    assert await is_signed_in(person)


async def test_an_erased_account_is_closed_for_good(site: Site, person: Person) -> None:
    await sign_in(person, site)
    (google,) = site.auth.people
    subject = site.account(google.email)["id"]
    with psycopg.connect(site.service.dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE crouter.account SET email = NULL, name = NULL, deletion_requested_at = now(), erased_at = now() "
            "WHERE id = %s",
            (subject,),
        )
    answer = await sign_in(person, site)
    assert answer.status == 403
    assert "This account was deleted" in answer.text
    assert (await person.post("/sign-in/take-back", {})).status == 409


async def test_the_provider_is_told_nothing_about_the_browser(site: Site, person: Person) -> None:
    callback = await back(person, site, await to_google(person))
    before = len(site.auth.seen)
    await person.get(callback, **{"user-agent": "browser-canary", "accept-language": "nl-canary"})
    told = repr(site.auth.seen[before:])
    assert "/auth/v1/token" in told
    assert "canary" not in told
    assert "x-forwarded-for" not in told.lower()
