"""Payments on a real database beside the contract server, and short words for what tests do with them."""

import itertools
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.environment import Reader
from crouter.runtime.ledger.trial import TrialBalance
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.payments.booking import Outcome
from crouter.runtime.payments.money import nanousd
from crouter.runtime.payments.payments import Payments, open_payments
from crouter.runtime.payments.records import Payment
from crouter.runtime.payments.settings import PaymentSettings, read_payments
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.settings import read_store_settings
from tests.behaviour.service import environment
from tests.contract.stripe.server import StripeServer
from tests.contract.stripe.shapes import Thing
from tests.unit.runtime.retention.databases import TestDatabase

BACK = "http://127.0.0.1:1/dashboard/balance/payments/{payment}"


@dataclass
class Clock:
    """The service's clock: the real one, moved by the test."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Shop:
    """One account that pays."""

    stripe: StripeServer
    payments: Payments
    accounts: Accounts
    database: TestDatabase
    clock: Clock
    account: uuid.UUID
    _seconds: "itertools.count[int]" = field(default_factory=itertools.count)

    async def checkout(self, cents: int = 25_00) -> tuple[Payment, str]:
        """A page to pay on, and its id at Stripe."""
        payment, checkout = await self.payments.topping_up.begin(self.account, cents, BACK)
        return payment, checkout.id

    async def receive(self, event: Thing, **signing: Any) -> Outcome:
        """Delivers a message. Each is signed a little later than the one before, as Stripe's repetitions are."""
        if "at" not in signing:
            signing["at"] = self.clock().timestamp() - 200 + next(self._seconds)
        body, signature = self.stripe.signed(event, **signing)
        return await self.payments.receive(body, signature)

    async def receive_all(self) -> None:
        """Delivers everything that has happened, in the order in which it did."""
        for event in self.stripe.account.events:
            await self.receive(event)

    async def top_up(self, cents: int = 25_00) -> Payment:
        """A paid and credited payment."""
        payment, session = await self.checkout(cents)
        self.stripe.account.pay(session)
        await self.receive(self.stripe.account.events[-1])
        return await self.payment(payment.id)

    async def payment(self, id_: uuid.UUID) -> Payment:
        """The payment as it is now."""
        found = await self.payments.records.find(self.account, id_)
        assert found is not None
        return found

    async def cents(self) -> float:
        """The balance."""
        return await self.payments.ledger.balance(self.account) / nanousd(1)

    async def trial(self) -> TrialBalance:
        """The trial balance, which is zero."""
        trial = await self.payments.ledger.trial_balance()
        assert trial.difference_nanousd == 0
        return trial

    def events(self, type_: str) -> list[Thing]:
        return [event for event in self.stripe.account.events if event["type"] == type_]

    def charge(self, cents: float) -> None:
        """Uses credit."""
        self.database.entry(self.account, "charge", -int(nanousd(1) * cents), datetime.now(UTC))

    def mails(self) -> list[str]:
        """The templates of mails that wait, in their order."""
        return [row[0] for row in self.database.execute("SELECT template FROM outbox ORDER BY created_at, template")]


def settings_of(stripe: StripeServer, deployment: Deployment, **more: str) -> PaymentSettings:
    """The settings of a development service beside a contract server."""
    reader = Reader({**stripe_environment(stripe), **more})
    settings = read_payments(reader, deployment, production=False)
    reader.give_up_on_problems()
    assert settings is not None
    return settings


def stripe_environment(stripe: StripeServer) -> dict[str, str]:
    return {
        "CROUTER_STRIPE_KEY": stripe.key,
        "CROUTER_STRIPE_WEBHOOK_SECRET": stripe.secret,
        "CROUTER_STRIPE_API_BASE": stripe.url,
    }


@asynccontextmanager
async def shop(deployment: Deployment, database: TestDatabase) -> AsyncIterator[Shop]:
    """A shop with one account, which has nothing yet."""
    store = Database(read_store_settings(environment(database.dsn, "http://127.0.0.1:1")), deployment.database_schema)
    await store.open()
    clock = Clock()
    try:
        async with (
            StripeServer().serving() as stripe,
            open_payments(
                deployment,
                settings_of(stripe, deployment),
                store,
                production=False,
                reader=PurposeReader(deployment, store),
                outbox=Outbox(deployment),
                now=clock,
            ) as payments,
        ):
            accounts = Accounts(deployment, store)
            account = await accounts.create(f"{uuid.uuid4()}@example.org", "Ada")
            yield Shop(stripe, payments, accounts, database, clock, account)
    finally:
        await store.close()


def altered(event: Thing, **changes: Any) -> Thing:
    """A copy of an event with other values at its top."""
    return {**json.loads(json.dumps(event)), **changes}
