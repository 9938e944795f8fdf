"""Sends what waits in the outbox: at least once, with the same Message-ID, and not for ever.

What stands against one mail costs that mail its attempt, and it is tried again after a growing pause. What stands
against all of them ends the run, costs none an attempt, and the next run tries again. A mail that cannot be sent at all
is parked, where an operator sees it; one whose reader or address is gone is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from jinja2 import TemplateError

from crouter.contract.mail import Mail
from crouter.runtime.logs import Log
from crouter.runtime.mail.message import compose
from crouter.runtime.mail.rendering import Rendering
from crouter.runtime.mail.settings import deliverable
from crouter.runtime.mail.smtp import BROKE_OFF, Carrier, Result, ServerAwayError
from crouter.runtime.mail.values import MailRefusedError
from crouter.runtime.mail.waiting import WaitingMail, WaitingMails
from crouter.runtime.policy_history import HistoryUnreadableError
from crouter.runtime.purposes import PurposeReader

PAUSES: Final = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12, 12, 12, 24)),
)
"""Before the second attempt, the third, …; three days in all."""
AGE_MAX: Final = timedelta(days=5)
"""A mail that is older than this tells old news: a failure is then its last."""
RUN_SECONDS: Final = 600.0

Connect = Callable[[], AbstractAsyncContextManager[Carrier]]


@dataclass
class Delivery:
    """Sends for one deployment. `connect` opens the way out and raises ServerAwayError."""

    mail: Mail
    name: str
    sender: str
    waiting: WaitingMails
    reader: PurposeReader
    rendering: Rendering
    connect: Connect
    log: Log
    now: Callable[[], datetime]
    per_minute: int
    stopped: Callable[[], bool] = lambda: False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    sent: int = field(default=0, init=False)

    async def run(self, seconds: float = RUN_SECONDS) -> int:
        """Send what is due until nothing is, the server is away, or the time is over; gives how many were sent.

        Raises DatabaseError; then what was claimed is due again when its claim ends.
        """
        until, self.sent = self.now() + timedelta(seconds=seconds), 0
        while not self.stopped() and self.now() < until:
            claimed = await self.waiting.claim(self.now())
            if not claimed or not await self._send_all(claimed, until):
                break
        if self.sent:
            self.log.info("mail_sent", job="job.mail", count=self.sent)
        return self.sent

    async def _send_all(self, claimed: list[WaitingMail], until: datetime) -> bool:
        """Send these; whether to go on. What is left of them is given back, whatever happens."""
        left = list(claimed)
        try:
            async with self.connect() as carrier:
                while left and not self.stopped() and self.now() < until:
                    result = await self._send(carrier, left[0])
                    await self._note(left.pop(0), result)
                    if result.fate == "server_away":
                        raise ServerAwayError(result.error)
                    if result.error == BROKE_OFF:
                        # The connection is of no use any more; the rest goes over a new one.
                        return True
                    await self.sleep(60 / self.per_minute)
        except ServerAwayError as away:
            self.log.warning("mail_server_away", job="job.mail", error=away.error)
            await self._wait_for_server(left, away.error)
            return False
        finally:
            await asyncio.shield(self.waiting.give_back(left, self.now()))
        return True

    async def _wait_for_server(self, left: list[WaitingMail], error: str) -> None:
        """The longest waiting mails may be too old by now; the others are due again."""
        for mail in [mail for mail in left if self.now() - mail.created_at > AGE_MAX]:
            left.remove(mail)
            await self._park(mail, error)

    async def _send(self, carrier: Carrier, mail: WaitingMail) -> Result:
        try:
            template = self.mail.template(mail.template)
        except KeyError:
            # This process may be older than the one that put it there.
            return Result("later", "not_declared")
        address = await self.reader.field(self.mail.record, self.mail.address, template.purpose, key=mail.account)
        if not address:
            return Result("refused_address", "no_address")
        recipient = deliverable(address)
        if recipient is None:
            return Result("refused_address", "address_unfit")
        try:
            rendered = self.rendering.render(mail.template, mail.words)
            message = compose(mail.id, self.name, self.sender, recipient, rendered, self.now())
        except (MailRefusedError, HistoryUnreadableError):
            return Result("later", "not_declared")
        except (TemplateError, ValueError):
            return Result("later", "not_rendered")
        return await carrier.carry(self.sender, recipient, message)

    async def _note(self, mail: WaitingMail, result: Result) -> None:
        match result.fate:
            case "sent":
                self.sent += 1
                await self.waiting.end(mail.id, "sent", "")
            case "refused_address":
                self.log.warning("mail_dropped", job="job.mail", error=result.error)
                await self.waiting.end(mail.id, "dropped", result.error)
            case "refused_mail":
                await self._park(mail, result.error)
            case _ if mail.attempts > len(PAUSES) or self.now() - mail.created_at > AGE_MAX:
                await self._park(mail, result.error)
            case _:
                await self.waiting.again(mail.id, self.now() + PAUSES[mail.attempts - 1], result.error)

    async def _park(self, mail: WaitingMail, error: str) -> None:
        self.log.error("mail_parked", job="job.mail", error=error)
        await self.waiting.end(mail.id, "parked", error)
