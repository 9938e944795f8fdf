"""Our use of Supabase Auth, by its own client, against a server that keeps to its rules."""

import asyncio
import base64
import dataclasses
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crouter.contract.deployment import Deployment
from crouter.runtime.egress import EgressRefusedError
from crouter.runtime.egress.library_client import library_client
from crouter.runtime.identity.provider import (
    Identity,
    ProviderAwayError,
    RenewalRefusedError,
    SignedIn,
    SignInRefusedError,
)
from crouter.runtime.identity.settings import SupabaseSettings
from crouter.runtime.identity.supabase import SupabaseProvider
from crouter.runtime.secret import Secret
from tests.contract.supabase_auth.people import GoogleAccount
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseAuth
from tests.contract.supabase_auth.sessions import FLOW_SECONDS, REUSE_SECONDS
from tests.contract.supabase_auth.signing import shared_secret, unsigned

BACK = "http://127.0.0.1:8080/sign-in/callback?state=ours"


class Clock:
    """A clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Project:
    """The contract server and our provider, which talks to it."""

    auth: SupabaseAuth
    provider: SupabaseProvider
    http: httpx.AsyncClient
    clock: Clock

    async def returned(self, url: str, *, person: int | None = 0) -> dict[str, str]:
        """What the browser brings back after the consent page; nobody approves where `person` is None."""
        async with aiohttp.ClientSession() as browser:
            async with browser.get(url) as page:
                links = [part.partition('"')[0] for part in (await page.text()).split('href="')[1:]]
            link = links[-1] if person is None else links[person]
            async with browser.get(self.auth.url + link.replace("&amp;", "&"), allow_redirects=False) as to_callback:
                location = to_callback.headers["location"]
            async with browser.get(self.auth.url + location, allow_redirects=False) as back:
                found = urlsplit(back.headers["location"])
        assert f"{found.scheme}://{found.netloc}{found.path}" == BACK.partition("?")[0]
        return {name: values[0] for name, values in parse_qs(found.query).items()}

    async def sign_in(self) -> SignedIn:
        begun = await self.provider.begin(BACK)
        return await self.provider.complete((await self.returned(begun.url))["code"], begun.verifier)


@pytest_asyncio.fixture
async def project(deployment: Deployment) -> AsyncIterator[Project]:
    clock = Clock()
    auth = SupabaseAuth("http://127.0.0.1:8080", clock)
    async with (
        auth.serving() as url,
        library_client(deployment, "supabase", url, lambda: None, production=False) as http,
    ):
        settings = SupabaseSettings(url, PUBLISHABLE_KEY, Secret(SECRET_KEY))
        yield Project(auth, SupabaseProvider(settings, http), http, clock)


async def refused(attempt: Awaitable[object]) -> str:
    """The reason of a refusal, of which the message says no more."""
    with pytest.raises(SignInRefusedError) as caught:
        await attempt
    assert str(caught.value) == caught.value.reason
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None
    return caught.value.reason


@pytest.mark.claim("collect-account")
async def test_collect_account__only_address_and_name_are_taken_of_what_google_tells(project: Project) -> None:
    signed_in = await project.sign_in()
    (user,) = project.auth.users.values()
    assert signed_in.identity == Identity(user.id, "grace@example.org", "Grace Hopper")
    assert not {field.name for field in dataclasses.fields(Identity)} - {"subject", "email", "name"}
    assert "canary" not in repr(signed_in)


async def test_the_browser_carries_a_challenge_and_the_server_alone_the_verifier(project: Project) -> None:
    begun = await project.provider.begin(BACK)
    query = parse_qs(urlsplit(begun.url).query)
    assert query["code_challenge_method"] == ["s256"]
    assert query["provider"] == ["google"]
    assert begun.verifier.reveal() not in begun.url
    told = await project.returned(begun.url)
    assert told["state"] == "ours"
    await project.provider.complete(told["code"], begun.verifier)
    (exchange,) = project.auth.calls("/token")
    assert json.loads(exchange.body) == {"auth_code": told["code"], "code_verifier": begun.verifier.reveal()}
    assert exchange.headers["apikey"] == PUBLISHABLE_KEY


async def test_a_code_is_worth_nothing_to_another_browser(project: Project) -> None:
    mine, theirs = await project.provider.begin(BACK), await project.provider.begin(BACK)
    told = await project.returned(mine.url)
    assert await refused(project.provider.complete(told["code"], theirs.verifier)) == "over"


async def test_a_code_is_good_once(project: Project) -> None:
    begun = await project.provider.begin(BACK)
    told = await project.returned(begun.url)
    await project.provider.complete(told["code"], begun.verifier)
    assert await refused(project.provider.complete(told["code"], begun.verifier)) == "over"


async def test_a_sign_in_that_took_too_long_is_over(project: Project) -> None:
    begun = await project.provider.begin(BACK)
    told = await project.returned(begun.url)
    project.clock.now += FLOW_SECONDS + 1
    assert await refused(project.provider.complete(told["code"], begun.verifier)) == "over"


async def test_an_address_that_google_does_not_confirm_is_refused(project: Project) -> None:
    project.auth.people = [GoogleAccount("7", "mallory@example.org", email_verified=False)]
    assert await refused(project.sign_in()) == "unverified_email"


def _with_user(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda answer: {**answer, "user": {**answer["user"], **changes}}


def _identity_with(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    def bent(answer: dict[str, Any]) -> Any:
        (identity,) = answer["user"]["identities"]
        told = {**identity, "identity_data": {**identity["identity_data"], **changes}}
        return {**answer, "user": {**answer["user"], "identities": [told]}}

    return bent


@pytest.mark.parametrize(
    "bend",
    [
        lambda answer: {name: value for name, value in answer.items() if name != "user"},
        lambda answer: {**answer, "user": {n: v for n, v in answer["user"].items() if n != "id"}},
        lambda answer: {},
        lambda answer: [answer],
        lambda answer: {**answer, "refresh_token": ""},
        _with_user(id=""),
        _with_user(id="1001"),
        _with_user(id=str(uuid.uuid4())),
        _with_user(id=str(uuid.UUID(int=0))),
        _with_user(identities=[]),
        _with_user(identities=None),
        _with_user(email=""),
        _with_user(email="somebody.else@example.org"),
        _with_user(is_anonymous=True),
        _identity_with(email=None),
        _identity_with(email=["grace@example.org"]),
        _identity_with(email="somebody.else@example.org"),
    ],
)
async def test_an_answer_that_names_nobody_signs_nobody_in(project: Project, bend: Callable[[Any], Any]) -> None:
    project.auth.bend = bend
    assert await refused(project.sign_in()) == "unusable_answer"


@pytest.mark.parametrize("bend", [_identity_with(email_verified="true"), _with_user(email_confirmed_at=None)])
async def test_verified_is_what_google_says_and_not_what_people_write(
    project: Project, bend: Callable[[Any], Any]
) -> None:
    project.auth.bend = bend
    assert await refused(project.sign_in()) == "unverified_email"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "anon"},
        {"aud": None},
        {"aud": ["another", "audience"]},
        {"iss": "https://elsewhere.supabase.co/auth/v1"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"role": "service_role"},
        {"role": None},
        {"is_anonymous": True},
        {"nbf": 4_000_000_000},
    ],
)
async def test_a_token_for_another_audience_issuer_or_time_is_refused(project: Project, claims: dict[str, Any]) -> None:
    project.auth.claims = claims
    assert await refused(project.sign_in()) == "refused_token"


@pytest.mark.parametrize("subject", ["1001", "", "{8d3d5a86-2f27-4f0a-8f5e-0d2c1a7c9a11}", str(uuid.UUID(int=0))])
async def test_a_subject_that_is_no_uuid_is_refused(project: Project, subject: str) -> None:
    project.auth.claims = {"sub": subject}
    assert await refused(project.sign_in()) == "unusable_answer"


def _public_pem(auth: SupabaseAuth) -> bytes:
    key = jwt.PyJWK(auth.keys.public(auth.keys.newest)).key
    pem: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem


def _by_another(auth: SupabaseAuth, claims: dict[str, Any], kid: str | None) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=headers)


def _changed(auth: SupabaseAuth, claims: dict[str, Any]) -> str:
    head, _, signature = auth.keys.sign(claims).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "sub": str(uuid.uuid4())}).encode()).decode()
    return f"{head}.{body.rstrip('=')}.{signature}"


Forge = Callable[[SupabaseAuth, dict[str, Any]], str]
FORGED: dict[str, Forge] = {
    "unsigned": lambda auth, claims: unsigned(claims),
    "unsigned, with a key id": lambda auth, claims: unsigned(claims, kid=auth.keys.newest),
    "unsigned, said to be signed": lambda auth, claims: unsigned(claims, "ES256", kid=auth.keys.newest),
    "the public key as a shared secret": lambda auth, claims: shared_secret(
        claims, _public_pem(auth), auth.keys.newest
    ),
    "another key of the same id": lambda auth, claims: _by_another(auth, claims, auth.keys.newest),
    "another algorithm of the same id": lambda auth, claims: jwt.encode(
        claims, rsa.generate_private_key(65537, 2048), "RS256", headers={"kid": auth.keys.newest}
    ),
    "an unknown key": lambda auth, claims: _by_another(auth, claims, "unknown"),
    "no key id": lambda auth, claims: _by_another(auth, claims, None),
    "another person": _changed,
    "no token": lambda auth, claims: "not-a-token",
    "too long": lambda auth, claims: "x" * 20_000,
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_token_is_refused(project: Project, how: str) -> None:
    project.auth.access_token = lambda claims: FORGED[how](project.auth, claims)
    assert await refused(project.sign_in()) == "refused_token"


async def test_a_new_signing_key_is_taken_up_and_a_withdrawn_one_forgotten(project: Project) -> None:
    await project.sign_in()
    old = project.auth.keys.newest
    project.auth.keys.rotate()
    keys = project.provider._verifier._keys  # its clock is what this test moves
    keys._clock = lambda: time.monotonic() + 40
    await project.sign_in()
    project.auth.keys.withdraw(old)
    keys._clock = lambda: time.monotonic() + 1000
    await project.sign_in()
    assert await keys.key(old) is None


async def test_tokens_that_name_unknown_keys_do_not_make_us_ask_again_and_again(project: Project) -> None:
    await project.sign_in()
    project.auth.access_token = lambda claims: FORGED["an unknown key"](project.auth, claims)
    asked = len(project.auth.calls("/.well-known/jwks.json"))
    for _ in range(5):
        assert await refused(project.sign_in()) == "refused_token"
    assert len(project.auth.calls("/.well-known/jwks.json")) - asked == 0


async def test_without_any_key_nobody_is_signed_in_and_nobody_is_called_a_liar(project: Project) -> None:
    project.auth.keys_down = True
    with pytest.raises(ProviderAwayError):
        await project.sign_in()


async def test_a_sign_in_is_renewed_and_each_renewal_is_good_once(project: Project) -> None:
    signed_in = await project.sign_in()
    subject = signed_in.identity.subject
    following = await project.provider.renew(signed_in.renewal, subject)
    assert following != signed_in.renewal
    assert await project.provider.renew(signed_in.renewal, subject) == following, "the answer got lost on the way"
    third = await project.provider.renew(following, subject)
    project.clock.now += REUSE_SECONDS + 1
    with pytest.raises(RenewalRefusedError):
        await project.provider.renew(signed_in.renewal, subject)
    with pytest.raises(RenewalRefusedError):
        await project.provider.renew(third, subject)


async def test_a_renewal_that_names_somebody_else_is_refused(project: Project) -> None:
    signed_in = await project.sign_in()
    with pytest.raises(RenewalRefusedError):
        await project.provider.renew(signed_in.renewal, uuid.uuid4())


async def test_who_was_banned_is_not_renewed(project: Project) -> None:
    signed_in = await project.sign_in()
    project.auth.users[signed_in.identity.subject].banned = True
    with pytest.raises(RenewalRefusedError):
        await project.provider.renew(signed_in.renewal, signed_in.identity.subject)


async def test_signing_out_ends_the_session_of_the_provider_and_no_other(project: Project) -> None:
    first, second = await project.sign_in(), await project.sign_in()
    await project.provider.sign_out(first.renewal)
    (left,) = project.auth.sessions.open.values()
    assert second.renewal.reveal() in left.tokens
    await project.provider.sign_out(first.renewal)


async def test_somebody_is_deleted_for_good_and_deleting_again_is_no_error(project: Project) -> None:
    signed_in = await project.sign_in()
    await project.provider.delete_user(signed_in.identity.subject)
    assert not project.auth.users
    assert not project.auth.sessions.open
    await project.provider.delete_user(signed_in.identity.subject)
    assert {seen.headers["Authorization"] for seen in project.auth.seen if seen.method == "DELETE"} == {
        f"Bearer {SECRET_KEY}"
    }
    again = await project.sign_in()
    assert again.identity.subject != signed_in.identity.subject


async def test_a_wrong_administration_key_never_passes_for_a_deletion(project: Project) -> None:
    signed_in = await project.sign_in()
    provider = SupabaseProvider(
        SupabaseSettings(project.auth.url, PUBLISHABLE_KEY, Secret(PUBLISHABLE_KEY)), project.http
    )
    with pytest.raises(ProviderAwayError):
        await provider.delete_user(signed_in.identity.subject)
    assert project.auth.users


async def test_a_provider_that_is_away_is_told_apart_from_one_that_refuses(project: Project) -> None:
    signed_in = await project.sign_in()
    begun = await project.provider.begin(BACK)
    told = await project.returned(begun.url)
    project.auth.is_down = True
    for attempt in (
        project.provider.complete(told["code"], begun.verifier),
        project.provider.renew(signed_in.renewal, signed_in.identity.subject),
        project.provider.sign_out(signed_in.renewal),
        project.provider.delete_user(signed_in.identity.subject),
    ):
        with pytest.raises(ProviderAwayError):
            await attempt


async def test_many_at_once_do_not_take_each_others_tokens(project: Project) -> None:
    project.auth.people = [GoogleAccount(str(number), f"person{number}@example.org") for number in range(8)]

    async def one(number: int) -> str:
        begun = await project.provider.begin(BACK)
        told = await project.returned(begun.url, person=number)
        return (await project.provider.complete(told["code"], begun.verifier)).identity.email

    found = await asyncio.gather(*(one(number) for number in range(8)))
    assert list(found) == [f"person{number}@example.org" for number in range(8)]


@pytest.mark.claim("processor-supabase", by="egress_guard")
async def test_processor_supabase__the_vendors_client_reaches_no_other_host(deployment: Deployment) -> None:
    told: list[str] = []
    elsewhere = "https://project.supabase.example"
    async with library_client(
        deployment, "supabase", elsewhere, lambda: told.append("refused"), production=False
    ) as http:
        provider = SupabaseProvider(SupabaseSettings(elsewhere, PUBLISHABLE_KEY, Secret(SECRET_KEY)), http)
        with pytest.raises(EgressRefusedError):
            await provider.complete("code", Secret("v" * 64))
    async with library_client(
        deployment, "supabase", "https://project.supabase.co", lambda: told.append("refused"), production=True
    ) as http:
        for url in (elsewhere, "http://project.supabase.co", "https://other.supabase.co"):
            with pytest.raises(EgressRefusedError):
                await http.get(url)
    async with library_client(
        deployment, "supabase", "http://127.0.0.1:1", lambda: told.append("refused"), production=True
    ) as http:
        with pytest.raises(EgressRefusedError):
            await http.get("http://127.0.0.1:1/")
    assert told == ["refused"] * 5
