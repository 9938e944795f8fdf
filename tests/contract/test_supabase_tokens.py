"""Our use of Supabase Auth, by its own client, against a server that keeps to its rules: tokens."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crouter.runtime.identity.provider import (
    ProviderAwayError,
)
from tests.contract.project import Project, refused
from tests.contract.supabase_auth.server import SupabaseAuth
from tests.contract.supabase_auth.signing import shared_secret, unsigned


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
