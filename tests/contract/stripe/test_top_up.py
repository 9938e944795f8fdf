"""A payment is credited exactly once, whatever Stripe repeats, delays, reorders or loses."""

import asyncio
from datetime import timedelta

import pytest

from crouter.runtime.database.errors import DatabaseAwayError
from crouter.runtime.payments.processor import ProcessorAwayError, ProcessorRefusedError
from crouter.runtime.payments.records import NoPayerError
from crouter.runtime.payments.webhook import WebhookRefusedError
from tests.contract.stripe.shop import Shop

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.contract.stripe.fixtures")


async def test_a_payment_on_stripes_page_becomes_credit_with_an_invoice_and_a_receipt(here: Shop) -> None:
    payment, session = await here.checkout(25_00)
    assert payment.state == "begun"
    assert (await here.payment(payment.id)).state == "open"
    here.stripe.account.pay(session)
    await here.receive_all()
    assert (await here.payment(payment.id)).state == "paid"
    assert await here.cents() == 25_00
    (invoice,) = await here.payments.invoices(here.account)
    assert invoice.total_cents == 25_00
    assert invoice.url is not None
    assert invoice.url.startswith(here.stripe.url)
    assert here.mails() == ["receipt"]
    await here.payments.catch_up()
    trial = await here.trial()
    assert trial.accounts["stripe_clearing"] == -here.stripe.account.balance() * 10**7
    assert trial.accounts["processor_fees"] == -(73 + 30) * 10**7


async def test_a_thousand_concurrent_duplicates_of_one_payment_credit_it_once(here: Shop) -> None:
    _, session = await here.checkout(10_00)
    here.stripe.account.pay(session)
    (event,) = here.events("checkout.session.completed")
    start = here.clock().timestamp() - 200
    messages = [here.stripe.signed(event, at=start + number % 200) for number in range(1000)]

    async def receive(number: int) -> bool:
        try:
            return await here.payments.receive(*messages[number]) == "applied"
        except DatabaseAwayError:
            return False  # more wait for a connection than may; Stripe delivers those again
        except WebhookRefusedError as error:
            if error.reason != "replayed":
                raise
            return False

    applied = await asyncio.gather(*map(receive, range(1000)))
    assert any(applied)
    assert await here.cents() == 10_00
    assert here.database.count("payment_event") == 1
    assert here.mails() == ["receipt"]
    await here.trial()


async def test_a_payment_that_takes_days_is_credited_when_it_comes(here: Shop) -> None:
    payment, session = await here.checkout()
    here.stripe.account.pay(session, delayed=True)
    await here.receive_all()
    assert (await here.payment(payment.id)).state == "processing"
    assert await here.cents() == 0
    here.stripe.account.settle(session, succeeded=True)
    await here.receive_all()
    assert await here.cents() == 25_00


async def test_a_payment_that_fails_or_expires_is_no_credit(here: Shop) -> None:
    failing, first = await here.checkout()
    here.stripe.account.pay(first, delayed=True)
    here.stripe.account.settle(first, succeeded=False)
    expiring, second = await here.checkout()
    here.stripe.account.expire(second)
    await here.receive_all()
    assert (await here.payment(failing.id)).state == "failed"
    assert (await here.payment(expiring.id)).state == "expired"
    assert await here.cents() == 0


async def test_where_no_message_ever_comes_stripe_is_asked(here: Shop) -> None:
    payment, session = await here.checkout()
    here.stripe.account.pay(session)
    assert (await here.payments.catch_up()).payments == 0  # a message is waited for a little
    here.clock.ahead = timedelta(minutes=5)
    await here.payments.catch_up()
    assert (await here.payment(payment.id)).state == "paid"
    assert await here.cents() == 25_00
    here.clock.ahead = timedelta()
    await here.receive_all()
    assert await here.cents() == 25_00


async def test_a_lost_answer_makes_no_second_page_and_no_second_customer(here: Shop) -> None:
    here.stripe.fail("POST", "/v1/customers", carried_out=True)
    here.stripe.fail("POST", "/v1/checkout/sessions", carried_out=True)
    await here.checkout()
    account = here.stripe.account
    assert (len(account.all("customer")), len(account.all("session"))) == (1, 1)
    await here.checkout()
    assert (len(account.all("customer")), len(account.all("session"))) == (1, 2)


async def test_while_stripe_is_away_nothing_is_begun_twice_and_it_is_told(here: Shop) -> None:
    await here.checkout()
    here.stripe.fail("POST", "/v1/checkout/sessions", status=503, times=3)
    with pytest.raises(ProcessorAwayError):
        await here.checkout()
    here.clock.ahead = timedelta(hours=2)
    await here.payments.catch_up()
    states = {row[0] for row in here.database.execute("SELECT state FROM payment WHERE checkout IS NULL")}
    assert states == {"expired"}


async def test_what_stripe_refuses_is_told_by_its_word_only(here: Shop) -> None:
    here.stripe.key = "sk_test_another_key_0123456789"
    with pytest.raises(ProcessorRefusedError) as refused:
        await here.checkout()
    assert refused.value.code == "AuthenticationError"
    assert "sk_test" not in repr(refused.value.args)


async def test_an_amount_other_than_was_asked_for_is_never_credited(here: Shop) -> None:
    payment, session = await here.checkout()
    here.stripe.account.find("session", session)["amount_total"] = 1
    here.stripe.account.pay(session)
    assert await here.receive(here.events("checkout.session.completed")[0]) == "mismatch"
    assert await here.cents() == 0
    assert (await here.payment(payment.id)).state == "open"


async def test_a_payment_of_another_shop_with_the_same_account_at_stripe_is_ignored(here: Shop) -> None:
    intent = here.stripe.account.make_intent({"amount": "500", "currency": "usd", "confirm": "true"})
    for event in here.stripe.account.events:
        assert await here.receive(event) == "ignored"
    here.stripe.account.make_refund({"payment_intent": intent["id"]})
    assert await here.receive(here.events("refund.created")[0]) == "ignored"
    assert here.database.count("book") == 0


async def test_a_late_message_brings_nothing_of_an_erased_account_back(here: Shop) -> None:
    payment, session = await here.checkout()
    here.stripe.account.pay(session)
    for table in ("payment", "payment_profile", "outbox"):
        here.database.execute(f"DELETE FROM {table}")  # noqa: S608
    here.database.execute("UPDATE account SET email = NULL, name = NULL, erased_at = now()")
    assert await here.receive(here.events("checkout.session.completed")[0]) == "unclaimed"
    assert here.database.count("payment") == here.database.count("ledger") == 0
    (reference,) = here.database.execute("SELECT reference FROM payment_event")[0]
    assert reference == here.stripe.account.all("intent")[0]["id"]
    trial = await here.trial()
    assert trial.accounts["unclaimed"] == 25_00 * 10**7
    # What the operator sends back by hand is no longer unclaimed.
    here.stripe.account.make_refund({"payment_intent": reference})
    await here.receive(here.events("refund.updated")[-1])
    assert (await here.trial()).accounts["unclaimed"] == 0
    with pytest.raises(NoPayerError):
        await here.payments.topping_up.begin(here.account, 500, "http://127.0.0.1:1/")
    del payment


@pytest.mark.claim("collect-payment")
async def test_collect_payment__a_message_with_card_details_leaves_none_in_the_database(here: Shop) -> None:
    _, session = await here.checkout()
    here.stripe.account.pay(session)
    card = {"number": "4000056655665556", "cvc": "987", "exp_month": 11, "exp_year": 2037}
    for event in here.stripe.account.events:
        event["data"]["object"]["payment_method_details"] = {"type": "card", "card": card}
        event["data"]["object"]["card"] = card
    await here.receive_all()
    assert await here.cents() == 25_00
    for canary in ("4000056655665556", "CANARY", "visa", "card_", "exp_month"):
        assert here.database.holding(canary) == [], canary


@pytest.mark.claim("collect-top-up")
async def test_collect_top_up__a_payment_is_recorded_with_its_amount_and_time_and_nothing_else(here: Shop) -> None:
    payment = await here.top_up(12_34)
    (row,) = here.database.execute("SELECT row_to_json(p) FROM payment AS p")
    assert set(row[0]) == {
        "id",
        "account_id",
        "cause",
        "state",
        "checkout",
        "intent",
        "fee_nanousd",
        "refunded_nanousd",
        "amount_nanousd",
        "created_at",
    }
    assert row[0]["amount_nanousd"] == 12_34 * 10**7 == payment.amount_nanousd


async def test_what_leaves_for_stripe_is_what_is_declared_and_nothing_about_this_machine(here: Shop) -> None:
    await here.top_up()
    known = {"accept", "authorization", "content-length", "content-type", "host", "idempotency-key", "stripe-version"}
    for headers in here.stripe.headers:
        assert set(headers) <= known | {"user-agent"}
        assert headers.get("user-agent") == "crouter"
    (customer,) = here.stripe.account.all("customer")
    told = here.database.value("SELECT email FROM account")
    assert customer["email"] == told
    assert (customer["name"], customer["metadata"]) == (None, {})
    (session,) = here.stripe.account.all("session")
    assert str(here.account) not in str(session)


async def test_a_deleted_customer_is_deleted_at_stripe_once(here: Shop) -> None:
    await here.checkout()
    pointer = await here.payments.customer(here.account)
    assert pointer is not None
    await here.payments.delete_customer(pointer)
    await here.payments.delete_customer(pointer)
    assert here.stripe.account.all("customer") == []


async def test_balance_transactions_are_all_there_over_pages(here: Shop) -> None:
    for _ in range(3):
        await here.top_up()
    found = [item async for item in here.payments.balance_transactions(here.clock() - timedelta(days=1))]
    assert sum(item.net_cents for item in found) == here.stripe.account.balance()
    assert {item.type for item in found} == {"charge"}
    assert len({item.id for item in found}) == 3
    later = here.clock() + timedelta(days=1)
    assert [item async for item in here.payments.balance_transactions(later)] == []
