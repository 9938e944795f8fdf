"""What an operator sets for payments: all of it, and nothing that could be mistaken for it."""

import pytest

from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.runtime.environment import Reader
from crouter.runtime.payments.money import AmountError, read_cents
from crouter.runtime.payments.settings import PaymentSettings, read_payments
from tests.unit.runtime.declarations import DEPLOYMENT as WITHOUT_PAYMENTS
from tests.unit.runtime.retention.databases import ROOT

LIVE = {
    "CROUTER_STRIPE_KEY": "rk_live_canary0123456789",
    "CROUTER_STRIPE_WEBHOOK_SECRET": "whsec_canary0123456789",
}


def read(environ: dict[str, str], *, production: bool = True) -> tuple[PaymentSettings | None, list[str]]:
    policy = load_file(ROOT / "policy.yaml").policy
    assert policy is not None
    reader = Reader(environ)
    settings = read_payments(reader, make_plan(policy).deployment, production=production)
    return settings, reader.problems


def test_production_refuses_to_start_without_key_or_secret_and_names_them() -> None:
    for empty in ({}, dict.fromkeys(LIVE, ""), dict.fromkeys(LIVE, "  ")):
        _, problems = read(empty)
        assert [problem.partition(":")[0] for problem in problems] == list(LIVE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CROUTER_STRIPE_KEY", "pk_live_canary0123456789"),
        ("CROUTER_STRIPE_KEY", "sk_test_canary0123456789"),
        ("CROUTER_STRIPE_KEY", "canary"),
        ("CROUTER_STRIPE_WEBHOOK_SECRET", "whsec_"),
        ("CROUTER_STRIPE_WEBHOOK_SECRET", "canary0123456789canary"),
        ("CROUTER_STRIPE_WEBHOOK_SECRET_RETIRING", "whsec_"),
        ("CROUTER_STRIPE_WEBHOOK_SECRET_RETIRING", LIVE["CROUTER_STRIPE_WEBHOOK_SECRET"]),
        ("CROUTER_STRIPE_API_BASE", "http://127.0.0.1:12111"),
    ],
)
def test_what_is_not_a_live_key_or_a_secret_is_refused_by_name_and_never_quoted(name: str, value: str) -> None:
    _, problems = read({**LIVE, name: value})
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}:")
    assert "canary" not in problems[0]


def test_several_secrets_are_in_force_while_one_retires() -> None:
    settings, problems = read({**LIVE, "CROUTER_STRIPE_WEBHOOK_SECRET_RETIRING": "whsec_before0123456789"})
    assert problems == []
    assert settings is not None
    assert settings.is_live
    assert [secret.reveal() for secret in settings.webhook_secrets] == [
        "whsec_canary0123456789",
        "whsec_before0123456789",
    ]
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    "base", ["https://127.0.0.1:1", "http://example.org:80", "http://127.0.0.1:1/x", "http://[::1"]
)
def test_a_stand_in_is_on_this_machine_and_in_development(base: str) -> None:
    told = {**LIVE, "CROUTER_STRIPE_API_BASE": base}
    assert [problem.partition(":")[0] for problem in read(told, production=False)[1]] == ["CROUTER_STRIPE_API_BASE"]
    settings, problems = read({**told, "CROUTER_STRIPE_API_BASE": "http://127.0.0.1:12111/"}, production=False)
    assert settings is not None
    assert (settings.api_base, problems) == ("http://127.0.0.1:12111", [])


def test_development_without_a_key_and_a_policy_without_payments_need_nothing() -> None:
    assert read({}, production=False) == (None, [])
    reader = Reader({})
    assert read_payments(reader, WITHOUT_PAYMENTS, production=True) is None
    assert reader.problems == []


@pytest.mark.parametrize(("text", "cents"), [("25", 2500), (" $12.5 ", 1250), ("1,000", 100000), ("5.00", 500)])
def test_amounts_are_read_as_people_write_them(text: str, cents: int) -> None:
    assert read_cents(text, least=500) == cents


@pytest.mark.parametrize("text", ["", ".", "5.", ".5", "1e3", "-5", "5.001", "٥", "4.99", "1000.01", "9" * 40, "$"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        read_cents(text, least=500)
