"""Topping up automatically: as agreed, one attempt at a time, and not for ever where it fails."""

import asyncio
from datetime import timedelta

from crouter.runtime.payments.automatic import Terms
from tests.contract.stripe.shop import Shop

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.contract.stripe.fixtures")

TERMS = Terms(threshold_cents=5_00, top_up_cents=20_00, monthly_max_cents=50_00)


async def agreed(here: Shop, method: str = "pm_card_visa", terms: Terms = TERMS) -> None:
    """Agrees, and pays once with the means of payment that is charged from then on."""
    await here.payments.automatic.agree(here.account, terms)
    _, session = await here.checkout(20_00)
    here.stripe.account.pay(session, method=method)
    await here.receive_all()


async def test_the_first_payment_after_agreeing_stores_the_means_and_later_ones_come_by_themselves(here: Shop) -> None:
    await agreed(here)
    assert here.stripe.account.all("intent")[0]["setup_future_usage"] == "off_session"
    profile = await here.payments.records.read_profile(here.account)
    assert profile is not None
    assert (profile.automatic, profile.method, profile.failures) == ("on", "pm_card_visa", 0)
    assert not await here.payments.automatic.top_up(here.account)  # there is enough
    here.charge(16_00)
    assert await here.payments.automatic.top_up(here.account)
    assert await here.cents() == 24_00
    await here.trial()


async def test_without_agreement_nothing_is_stored(here: Shop) -> None:
    await here.top_up()
    assert here.stripe.account.all("intent")[0]["setup_future_usage"] is None
    profile = await here.payments.records.read_profile(here.account)
    assert profile is not None
    assert (profile.automatic, profile.method) == ("off", None)
    here.charge(25_00)
    assert (await here.payments.catch_up()).topped_up == 0


async def test_no_more_than_the_monthly_sum_is_charged(here: Shop) -> None:
    await agreed(here)
    for _ in range(4):
        here.charge(await here.cents())
        await here.payments.automatic.top_up(here.account)
    payments = here.database.value("SELECT count(*) FROM payment WHERE cause = 'automatic'")
    assert payments == 2  # two times 20 dollars fit into 50
    here.clock.ahead = timedelta(days=32)
    assert await here.payments.automatic.top_up(here.account)


async def test_many_at_once_charge_once(here: Shop) -> None:
    await agreed(here)
    here.charge(20_00)
    tried = await asyncio.gather(*(here.payments.automatic.top_up(here.account) for _ in range(10)))
    assert sum(tried) == 1
    assert await here.cents() == 20_00


async def test_a_charge_that_fails_is_told_waits_and_is_switched_off_in_the_end(here: Shop) -> None:
    await agreed(here, "pm_declined")
    here.charge(20_00)
    assert await here.payments.automatic.top_up(here.account)
    assert not await here.payments.automatic.top_up(here.account)
    assert here.mails().count("top_up_failed") == 1
    for ahead in (timedelta(hours=2), timedelta(hours=20)):
        here.clock.ahead = ahead
        assert await here.payments.automatic.top_up(here.account)
    here.clock.ahead = timedelta(days=30)
    assert not await here.payments.automatic.top_up(here.account)
    profile = await here.payments.records.read_profile(here.account)
    assert profile is not None
    assert (profile.automatic, profile.failures) == ("failed", 3)
    assert here.mails().count("top_up_failed") == 3
    assert await here.cents() == 0
    for event in here.events("payment_intent.payment_failed"):
        await here.receive(event, at=here.clock().timestamp())
    assert here.mails().count("top_up_failed") == 3


async def test_a_charge_whose_answer_is_lost_is_made_once(here: Shop) -> None:
    await agreed(here)
    here.charge(20_00)
    here.stripe.fail("POST", "/v1/payment_intents", carried_out=True, times=1)
    await here.payments.automatic.top_up(here.account)
    assert len(here.stripe.account.all("intent")) == 2
    assert await here.cents() == 20_00


async def test_whoever_withdraws_is_charged_no_more_and_the_means_is_forgotten(here: Shop) -> None:
    await agreed(here)
    await here.payments.automatic.withdraw(here.account)
    here.charge(20_00)
    assert not await here.payments.automatic.top_up(here.account)
    assert here.database.holding("pm_card_visa") == []
