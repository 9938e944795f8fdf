"""Unused credit is paid back less what Stripe kept: never more than is there, never more than was paid."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from crouter.runtime.payments.records import Payment
from crouter.runtime.payments.refunding import RefundChangedError, divided
from tests.contract.stripe.server import StripeServer
from tests.contract.stripe.shop import Shop

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.contract.stripe.fixtures")

CENT = 10**7


def paid(dollars: int, *, fee_cents: int, refunded_cents: int = 0) -> Payment:
    return Payment(
        uuid.uuid4(),
        uuid.UUID(int=1),
        "checkout",
        "paid",
        None,
        "pi_1",
        dollars * 100 * CENT,
        refunded_cents * CENT,
        fee_cents * CENT,
        datetime(2026, 11, 23, tzinfo=UTC),
    )


def parts(payments: list[Payment], unused_cents: float, wanted: int | None = None) -> list[tuple[int, int]]:
    found = divided(payments, int(unused_cents * CENT), wanted)
    assert all(part.credit_nanousd % CENT == part.paid_nanousd % CENT == 0 for part in found)
    return [(part.credit_nanousd // CENT, part.paid_nanousd // CENT) for part in found]


def test_what_is_left_is_of_the_newest_payments_and_each_bears_its_share_of_its_fee() -> None:
    newest, oldest = paid(10, fee_cents=59), paid(50, fee_cents=175)
    assert parts([newest, oldest], 60_00) == [(10_00, 9_41), (50_00, 48_25)]
    assert parts([newest, oldest], 15_00) == [(10_00, 9_41), (5_00, 4_82)]
    assert parts([newest, oldest], 5_00.7) == [(5_00, 4_70)]
    assert parts([newest, oldest], 60_00, wanted=1_00) == [(1_00, 94)]


def test_no_more_than_is_unused_or_was_paid_and_nothing_of_nothing() -> None:
    payment = paid(10, fee_cents=59, refunded_cents=4_00)
    assert parts([payment], 100_00) == [(6_00, 5_64)]
    assert parts([payment], -5_00) == []
    assert parts([payment], 0.9) == []
    assert parts([payment], 1) == []  # its fee is all of it
    assert parts([], 100_00) == []


async def test_unused_credit_is_told_exactly_and_then_paid_back_less_the_fee(here: Shop) -> None:
    await here.top_up(10_00)
    await here.top_up(20_00)
    here.charge(12_00.25)
    quote = await here.payments.refunding.quote(here.account)
    assert quote.unused_nanousd == int(17_99.75 * CENT)
    assert (quote.credit_nanousd // CENT, quote.paid_nanousd // CENT) == (17_99, 17_99 - 80)
    told = (quote.credit_nanousd, quote.paid_nanousd)
    (refund,) = await here.payments.refunding.request(here.account, told, None)
    assert await here.cents() == 0.75
    (at_stripe,) = here.stripe.account.all("refund")
    assert (at_stripe["amount"], at_stripe["metadata"]) == (17_19, {"crouter_refund": str(refund.id)})
    for event in here.events("refund.created") + here.events("refund.updated"):
        await here.receive(event)
    assert here.database.value("SELECT state FROM refund") == "succeeded"
    trial = await here.trial()
    assert trial.accounts["refunds_payable"] == 0
    assert "refund" in here.mails()


async def test_what_processes_have_set_aside_is_not_paid_back(here: Shop) -> None:
    await here.top_up(10_00)
    here.database.execute(
        "INSERT INTO credit_lease (id, account_id, process_id, remaining_nanousd, expires_at)"
        " VALUES (gen_random_uuid(), %s, gen_random_uuid(), %s, now() + interval '1 hour')",
        *(here.account, 4_00 * CENT),
    )
    quote = await here.payments.refunding.quote(here.account)
    assert (quote.unused_nanousd, quote.set_aside_nanousd) == (6_00 * CENT, 4_00 * CENT)


async def test_credit_that_was_given_is_not_money_to_pay_back(here: Shop) -> None:
    await here.accounts.credit(here.account, 50_00 * CENT)
    assert (await here.payments.refunding.quote(here.account)).parts == ()
    await here.top_up(10_00)
    here.charge(55_00)
    assert (await here.payments.refunding.quote(here.account)).credit_nanousd == 5_00 * CENT


async def test_requests_at_the_same_time_never_refund_more_than_there_is(here: Shop) -> None:
    await here.top_up(10_00)
    quote = await here.payments.refunding.quote(here.account)
    told = (quote.credit_nanousd, quote.paid_nanousd)
    ended = await asyncio.gather(
        *(here.payments.refunding.request(here.account, told, None) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(end, RefundChangedError) for end in ended) == 7
    assert len(here.stripe.account.all("refund")) == 1
    assert await here.cents() == 0
    await here.trial()


async def test_a_refund_that_was_told_otherwise_is_not_made(here: Shop) -> None:
    await here.top_up(10_00)
    quote = await here.payments.refunding.quote(here.account)
    here.charge(1_00)
    with pytest.raises(RefundChangedError):
        await here.payments.refunding.request(here.account, (quote.credit_nanousd, quote.paid_nanousd), None)
    assert here.stripe.account.all("refund") == []
    assert await here.cents() == 9_00


async def request_all(here: Shop) -> None:
    quote = await here.payments.refunding.quote(here.account)
    await here.payments.refunding.request(here.account, (quote.credit_nanousd, quote.paid_nanousd), None)


async def test_a_refund_whose_answer_is_lost_is_made_once(here: Shop) -> None:
    await here.top_up(10_00)
    here.stripe.fail("POST", "/v1/refunds", carried_out=True, times=3)
    await request_all(here)
    assert here.database.value("SELECT state FROM refund") == "requested"
    assert await here.cents() == 0
    here.clock.ahead = timedelta(minutes=5)
    await here.payments.catch_up()
    await here.payments.catch_up()
    assert here.database.value("SELECT state FROM refund") == "succeeded"
    assert len(here.stripe.account.all("refund")) == 1
    await here.trial()


async def test_a_refund_that_never_reached_stripe_is_sent_again(here: Shop) -> None:
    await here.top_up(10_00)
    here.stripe.fail("POST", "/v1/refunds", status=500, times=3)
    await request_all(here)
    assert here.stripe.account.all("refund") == []
    here.clock.ahead = timedelta(minutes=5)
    await here.payments.catch_up()
    assert len(here.stripe.account.all("refund")) == 1


async def test_a_refund_that_stripe_refuses_gives_the_credit_back(here: Shop) -> None:
    payment = await here.top_up(10_00)
    here.stripe.account.all("charge")[0]["amount_refunded"] = 10_00
    await request_all(here)
    assert await here.cents() == 10_00
    assert here.database.value("SELECT state FROM refund") == "failed"
    assert (await here.payment(payment.id)).refunded_nanousd == 0
    await here.trial()


async def test_a_refund_that_a_bank_sends_back_gives_the_credit_back(here: Shop) -> None:
    payment = await here.top_up(10_00)
    await request_all(here)
    (refund,) = here.stripe.account.all("refund")
    for event in here.events("refund.updated"):
        await here.receive(event)
    here.stripe.account.settle_refund(refund["id"], failed=True)
    for event in [*here.events("refund.failed"), *here.events("refund.updated"), *here.events("refund.created")]:
        await here.receive(event)
    assert await here.cents() == 10_00
    assert (await here.payment(payment.id)).refunded_nanousd == 0
    trial = await here.trial()
    assert trial.accounts["refunds_payable"] == 0
    assert trial.accounts["stripe_clearing"] == -here.stripe.account.balance() * CENT


async def test_a_refund_made_in_stripes_dashboard_takes_the_credit_with_it(here: Shop) -> None:
    payment = await here.top_up(10_00)
    here.charge(8_00)
    here.stripe.account.make_refund({"payment_intent": payment.intent, "amount": "500"})
    for event in here.events("refund.created") + here.events("refund.updated"):
        await here.receive(event)
    assert await here.cents() == -3_00
    assert (await here.payment(payment.id)).refunded_nanousd == 5_00 * CENT
    await here.trial()


async def test_a_disputed_payment_takes_its_credit_and_gives_it_back_when_won(here: Shop) -> None:
    payment = await here.top_up(10_00)
    here.charge(4_00)
    assert payment.intent is not None
    dispute = here.stripe.account.dispute(payment.intent)
    for event in here.events("charge.dispute.created") + here.events("charge.dispute.funds_withdrawn"):
        await here.receive(event)
    assert await here.cents() == -4_00
    assert (await here.payment(payment.id)).state == "disputed"
    assert (await here.payments.refunding.quote(here.account)).parts == ()
    here.stripe.account.close_dispute(dispute["id"], won=True)
    for event in here.events("charge.dispute.funds_reinstated") + here.events("charge.dispute.closed"):
        await here.receive(event)
    assert await here.cents() == 6_00
    assert (await here.payment(payment.id)).state == "paid"
    trial = await here.trial()
    assert trial.accounts["disputes"] == 0
    assert trial.accounts["stripe_clearing"] == -here.stripe.account.balance() * CENT
    assert isinstance(here.stripe, StripeServer)
