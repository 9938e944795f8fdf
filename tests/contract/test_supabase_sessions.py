"""Our use of Supabase Auth, by its own client, against a server that keeps to its rules: what comes after."""

import asyncio
import uuid

import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.egress import EgressRefusedError
from crouter.runtime.egress.library_client import library_client
from crouter.runtime.identity.provider import (
    ProviderAwayError,
    RenewalRefusedError,
)
from crouter.runtime.identity.settings import SupabaseSettings
from crouter.runtime.identity.supabase import SupabaseProvider
from crouter.runtime.secret import Secret
from tests.contract.project import BACK, Project
from tests.contract.supabase_auth.people import GoogleAccount
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY
from tests.contract.supabase_auth.sessions import REUSE_SECONDS


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
