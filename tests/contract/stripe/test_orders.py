"""Whatever happens to payments, and in whatever order its news arrive, how often and with what lost: the books are the
same in the end, and they agree with Stripe's own balance to the cent.

What happens is drawn by hypothesis: who pays, how, what is refunded, disputed, sent back. The same events are then
delivered in another order, some twice. A failure prints the example, and its blob repeats it.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crouter.runtime.payments.webhook import WebhookRefusedError
from tests.contract.stripe.account import RefusedError
from tests.contract.stripe.shop import Shop, shop
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

CENT = 10**7
STEPS = st.sampled_from(
    (
        "pay",
        "pay_later",
        "settle",
        "fail",
        "expire",
        "refund",
        "refund_waiting",
        "refund_sent_back",
        "refund_by_hand",
        "dispute",
        "win",
        "lose",
    )
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


class Play:
    """Acts out steps at the contract server. A step that makes no sense where it stands does nothing."""

    def __init__(self, here: Shop, chance: random.Random) -> None:
        self.here = here
        self.account = here.stripe.account
        self.chance = chance

    async def step(self, name: str) -> None:
        try:
            await getattr(self, f"_{name}")()
        except (RefusedError, IndexError):
            return

    async def _pay(self) -> None:
        _, session = await self.here.checkout(self.chance.randrange(5_00, 90_00))
        self.account.pay(session)

    async def _pay_later(self) -> None:
        _, session = await self.here.checkout(self.chance.randrange(5_00, 90_00))
        self.account.pay(session, delayed=True)

    async def _settle(self) -> None:
        self.account.settle(self._waiting(), succeeded=True)

    async def _fail(self) -> None:
        self.account.settle(self._waiting(), succeeded=False)

    async def _expire(self) -> None:
        _, session = await self.here.checkout()
        self.account.expire(session)

    async def _refund(self) -> None:
        quote = await self.here.payments.refunding.quote(self.here.account)
        if quote.parts:
            told = (quote.credit_nanousd, quote.paid_nanousd)
            await self.here.payments.refunding.request(self.here.account, told, None)

    async def _refund_waiting(self) -> None:
        self.account.refunds_wait = True
        await self._refund()
        self.account.refunds_wait = False

    async def _refund_sent_back(self) -> None:
        refunds = [refund for refund in self.account.all("refund") if refund["status"] == "succeeded"]
        self.account.settle_refund(self.chance.choice(refunds)["id"], failed=True)

    async def _refund_by_hand(self) -> None:
        intent = self.chance.choice([i for i in self.account.all("intent") if i["status"] == "succeeded"])
        charge = self.account.find("charge", intent["latest_charge"])
        # In Stripe's dashboard; what is our refund already is not refunded there as well.
        ours = sum(r["amount"] for r in self.account.all("refund") if r["metadata"] and r["charge"] == charge["id"])
        if not ours:
            self.account.make_refund({"payment_intent": intent["id"], "amount": str(1 + charge["amount"] // 3)})

    async def _dispute(self) -> None:
        charges = [c for c in self.account.all("charge") if not c["disputed"] and not c["amount_refunded"]]
        self.account.dispute(self.chance.choice(charges)["payment_intent"])

    async def _win(self) -> None:
        self.account.close_dispute(self._open_dispute(), won=True)

    async def _lose(self) -> None:
        self.account.close_dispute(self._open_dispute(), won=False)

    def _waiting(self) -> str:
        intents = {i["id"] for i in self.account.all("intent") if i["status"] == "processing"}
        found = [s for s in self.account.all("session") if s["payment_intent"] in intents]
        return str(self.chance.choice(found)["id"])

    def _open_dispute(self) -> str:
        found = [d for d in self.account.all("dispute") if d["status"] == "needs_response"]
        return str(self.chance.choice(found)["id"])

    async def deliver(self) -> None:
        """Everything that has happened, in any order, some of it twice."""
        events = [*self.account.events, *self.chance.sample(self.account.events, len(self.account.events) // 3)]
        self.chance.shuffle(events)
        for event in events:
            try:
                await self.here.receive(event)
            except WebhookRefusedError as error:
                if error.reason != "replayed":
                    raise


def expected_cents(play: Play) -> int:
    """The balance as Stripe's objects tell it: what was paid, less what went back."""
    account = play.account
    paid = sum(i["amount"] for i in account.all("intent") if i["status"] == "succeeded")
    by_hand = sum(r["amount"] for r in account.all("refund") if not r["metadata"] and r["status"] != "failed")
    disputed = sum(d["amount"] for d in account.all("dispute") if d["status"] != "won")
    ours = sum(
        row[0]
        for row in play.here.database.execute(
            "SELECT amount_nanousd FROM refund WHERE account_id = %s AND state <> 'failed' AND amount_nanousd <>"
            " paid_nanousd",
            play.here.account,
        )
    )
    return int(paid - by_hand - disputed - ours // CENT)


@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14), seed=st.integers(0, 2**32))
def test_every_order_of_events_ends_in_the_same_books_and_those_of_stripe(
    declared: Declared, database: TestDatabase, runner: asyncio.Runner, steps: list[str], seed: int
) -> None:
    async def play_it() -> None:
        async with AsyncExitStack() as stack:
            here = await stack.enter_async_context(shop(declared.deployment, database))
            before = (await here.trial()).accounts
            play = Play(here, random.Random(seed))  # noqa: S311
            await play.step("pay")
            for number, step in enumerate(steps):
                await play.step(step)
                if number % 4 == 3:
                    await play.deliver()
            for refund in play.account.all("refund"):
                if refund["status"] == "pending":
                    play.account.settle_refund(refund["id"])
            await play.deliver()
            balance = await here.cents()
            await play.deliver()
            here.clock.ahead = timedelta(minutes=5)
            await here.payments.catch_up()
            assert await here.cents() == balance == expected_cents(play)
            after = (await here.trial()).accounts
            moved = {name: after.get(name, 0) - before.get(name, 0) for name in after}
            assert moved.get("stripe_clearing", 0) == -play.account.balance() * CENT
            assert moved.get("refunds_payable", 0) == 0

    runner.run(play_it())
