"""Our use of Supabase Auth, by its own client, against a server that keeps to its rules: signing in."""

import dataclasses
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crouter.runtime.identity.provider import (
    Identity,
)
from tests.contract.project import BACK, Project, refused
from tests.contract.supabase_auth.people import GoogleAccount
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY
from tests.contract.supabase_auth.sessions import FLOW_SECONDS


@pytest.mark.claim("collect-account", by="identity_adapter")
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
