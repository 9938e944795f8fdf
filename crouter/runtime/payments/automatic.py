"""Tops up automatically, as its owner agreed: below a balance, by an amount, up to a sum in a calendar month (UTC).

One attempt at a time. An attempt that fails is told by mail, the next one waits, and after some in a row it is switched
off until its owner switches it on again: that is `booking.py`, because the news may come from anywhere.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from crouter.runtime.database.pool import Connection
from crouter.runtime.ledger import Ledger
from crouter.runtime.payments.money import nanousd
from crouter.runtime.payments.records import NoPayerError, Payment, PaymentRecords, Profile
from crouter.runtime.payments.topping_up import ToppingUp

PAUSES: Final = (timedelta(hours=1), timedelta(hours=12))
"""After the first attempt that failed, and after the second."""
CONSENT: Final = (
    "I agree that the means of payment with which I pay now is stored by Stripe and charged without my being there, by "
    "the amount above whenever my balance falls below the threshold, up to the monthly sum. I can switch this off at "
    "any time on this page."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody agreed to, in cents."""

    threshold_cents: int
    top_up_cents: int
    monthly_max_cents: int


class Automatic:
    """Automatic top-ups. Methods raise DatabaseError."""

    def __init__(
        self,
        records: PaymentRecords,
        ledger: Ledger,
        topping_up: ToppingUp,
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._topping_up = topping_up
        self._now = now

    async def agree(self, account: uuid.UUID, terms: Terms) -> Profile:
        """Sets the terms. With a stored means of payment it is on at once; otherwise the next payment stores one.

        Raises NoPayerError.
        """
        await self._records.make_profile(account)
        async with self._records.database.transaction() as connection:
            profile = await self._profile(connection, account)
            agreed = replace(
                profile,
                automatic="on" if profile.method is not None else "wanted",
                threshold_nanousd=nanousd(terms.threshold_cents),
                top_up_nanousd=nanousd(terms.top_up_cents),
                monthly_max_nanousd=nanousd(terms.monthly_max_cents),
                consented_at=self._now(),
                failures=0,
            )
            await self._records.set_automatic(connection, agreed)
        return agreed

    async def withdraw(self, account: uuid.UUID) -> None:
        """Ends it, and forgets the means of payment."""
        async with self._records.database.transaction() as connection:
            profile = await self._records.profile(connection, account)
            if profile is not None:
                ended = replace(profile, automatic="off", method=None, consented_at=None, failures=0)
                await self._records.set_automatic(connection, ended)

    async def top_up_all(self, stopped: Callable[[], bool]) -> int:
        """Tops up every account that has fallen below its threshold; how many. Raises ProcessorAwayError."""
        done = 0
        for profile in await self._records.automatic():
            if stopped():
                break
            done += await self.top_up(profile.account)
        return done

    async def top_up(self, account: uuid.UUID) -> bool:
        """Tops one account up if its terms say so now; whether it was tried. Raises ProcessorAwayError."""
        async with self._records.database.transaction() as connection:
            profile = await self._profile(connection, account)
            payment = await self._due(connection, profile)
            if payment is None:
                return False
            await self._records.add(connection, payment)
        await self._topping_up.charge(payment, profile)
        return True

    async def _due(self, connection: Connection, profile: Profile) -> Payment | None:
        """The payment to make now, by the profile that this transaction holds."""
        terms = (profile.threshold_nanousd, profile.top_up_nanousd, profile.monthly_max_nanousd)
        threshold, amount, most = terms
        if profile.automatic != "on" or threshold is None or amount is None or most is None:
            return None
        if await self._ledger.balance_in(connection, profile.account) >= threshold:
            return None
        now = self._now()
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        paid, under_way = await self._records.automatic_since(connection, profile.account, month)
        if under_way or paid + amount > most:
            return None
        if profile.failures and await self._records.tried_since(
            connection, profile.account, now - PAUSES[min(profile.failures, len(PAUSES)) - 1]
        ):
            return None
        return Payment(uuid.uuid4(), profile.account, "automatic", "begun", None, None, amount, 0, None, now)

    async def _profile(self, connection: Connection, account: uuid.UUID) -> Profile:
        profile = await self._records.profile(connection, account)
        if profile is None:
            raise NoPayerError
        return profile
