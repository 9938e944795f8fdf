"""What the operator has to set for signing in, and what is told where it is missing or wrong."""

import base64
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from crouter.contract.deployment import Deployment
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.runtime.environment import SettingsError
from crouter.runtime.settings import read_settings

SEALING, LOOKUP, RECEIPT, SESSION = (base64.b64encode(letter * 32).decode() for letter in (b"s", b"l", b"r", b"c"))
PEOPLE = {
    "CROUTER_SESSION_KEYS": f"1:{SESSION}",
    "CROUTER_SUPABASE_URL": "https://project.supabase.co",
    "CROUTER_SUPABASE_KEY": "sb_publishable_canary",
    "CROUTER_SUPABASE_SECRET_KEY": "sb_secret_canary",
}
PRODUCTION = {
    "DATABASE_URL": "postgresql://crouter@db.example.org/crouter?sslmode=verify-full",
    "ANTHROPIC_API_KEY": "sk-ant-canary",
    "CROUTER_SEALING_KEYS": f"1:{SEALING}",
    "CROUTER_LOOKUP_KEYS": f"1:{LOOKUP}",
    "CROUTER_RECEIPT_KEYS": f"1:{RECEIPT}",
    "CROUTER_EDGE_SECRET": "e" * 40,
    "CROUTER_JOURNAL": "journal",
    **PEOPLE,
}
DEVELOPMENT = {name: value for name, value in PRODUCTION.items() if name not in PEOPLE} | {
    "CROUTER_ENVIRONMENT": "development"
}


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    policy = load_file(Path(__file__).resolve().parents[4] / "policy.yaml").policy
    assert policy is not None
    return make_plan(policy).deployment


def problems(deployment: Deployment, environ: dict[str, str]) -> list[str]:
    """What is told about signing in; other parts of the service have settings of their own."""
    with pytest.raises(SettingsError) as caught:
        read_settings(deployment, environ)
    told = [problem for problem in caught.value.problems if problem.startswith((*PEOPLE, "CROUTER_OPERATORS"))]
    assert "canary" not in " ".join(told)
    return told


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_refuses_to_start_without_each_of_them_and_names_it(
    deployment: Deployment, name: str, value: str | None
) -> None:
    environ = {key: text for key, text in PRODUCTION.items() if key != name} | ({name: value} if value else {})
    (problem,) = problems(deployment, environ)
    assert problem.startswith(f"{name}: not set")


@pytest.mark.parametrize(
    "url",
    [
        "http://project.supabase.co",
        "https://project.supabase.example",
        "https://evil.example/project.supabase.co",
        "https://user@project.supabase.co",
        "https://project.supabase.co/auth/v1",
        "https://project.supabase.co?x=1",
        "http://127.0.0.1:9999",
        "project.supabase.co",
        "https://[",
    ],
)
def test_the_project_is_https_at_a_declared_host(deployment: Deployment, url: str) -> None:
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_SUPABASE_URL": url})
    assert problem.startswith("CROUTER_SUPABASE_URL: has to be https")


def test_the_secret_key_does_not_pass_for_the_publishable_one(deployment: Deployment) -> None:
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_SUPABASE_KEY": PEOPLE["CROUTER_SUPABASE_SECRET_KEY"]})
    assert problem.startswith("CROUTER_SUPABASE_KEY: is the secret key")


@pytest.mark.parametrize("taken", [SEALING, LOOKUP, RECEIPT])
def test_sessions_have_keys_of_their_own(deployment: Deployment, taken: str) -> None:
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_SESSION_KEYS": f"2:{SESSION},1:{taken}"})
    assert problem.startswith("CROUTER_SESSION_KEYS: holds a key of another purpose")


def test_operators_are_ids(deployment: Deployment) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_OPERATORS": f"{first}, canary@example.org"})
    assert problem.startswith("CROUTER_OPERATORS")
    settings = read_settings(deployment, {**DEVELOPMENT, "CROUTER_OPERATORS": f"{first}, {second},"})
    assert settings.identity.operators == {first, second}


def test_development_needs_none_of_them_and_makes_its_own_session_keys(deployment: Deployment) -> None:
    one, other = (read_settings(deployment, DEVELOPMENT).identity for _ in range(2))
    assert one.supabase is None
    assert one.session_keys.newest.key != other.session_keys.newest.key
    local = read_settings(deployment, {**DEVELOPMENT, **PEOPLE, "CROUTER_SUPABASE_URL": "http://127.0.0.1:9999"})
    assert local.identity.supabase is not None
    assert local.identity.supabase.url == "http://127.0.0.1:9999"
    assert "canary" not in repr(local.identity.supabase.secret_key)


def test_a_policy_without_sessions_needs_nothing(deployment: Deployment) -> None:
    records = tuple(record for record in deployment.records if record.name != "session")
    environ = {name: value for name, value in PRODUCTION.items() if name not in PEOPLE}
    try:
        settings = read_settings(replace(deployment, records=records), environ)
    except SettingsError as error:
        told = [problem for problem in error.problems if problem.startswith(tuple(PEOPLE))]
        assert not told
    else:
        assert settings.identity.supabase is None
