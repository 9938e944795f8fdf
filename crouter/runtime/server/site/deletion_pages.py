"""The pages by which an account is deleted, and the one that shows a deletion to whoever has its address."""

import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from crouter.contract.retention import Period
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.erasure.deletions import Begun, Credit, TooLateError, deletion_rule
from crouter.runtime.erasure.links import PATTERN
from crouter.runtime.erasure.receipt import signed_receipt
from crouter.runtime.erasure.records import DeletionRecord, ErasureStep
from crouter.runtime.names import LEDGER
from crouter.runtime.receipts.keys import SigningKeys
from crouter.runtime.rights import Rights
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.form import BadFormError, CrossSiteError, read_form, see_other, signed_in
from crouter.runtime.server.site.notices import HOME, SIGN_IN, Notice, Notices
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.privacy_centre import PATH as CENTRE
from crouter.runtime.server.site.route import READING, SENDING, Answerer, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor

PATH: Final = f"{CENTRE}/delete"
RECEIPT: Final = "/receipt"


@dataclass(frozen=True, slots=True)
class KeptByLaw:
    """What stays, and why."""

    what: str
    law: str


@dataclass(frozen=True, slots=True)
class AskView:
    """The question before a deletion."""

    balance_nanousd: int
    grace: str
    within: str
    kept: tuple[KeptByLaw, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeletionView:
    """How far one deletion is."""

    path: str
    deletion: DeletionRecord
    grace_until: datetime
    can_be_taken_back: bool
    is_late: bool
    steps: tuple[tuple[str, str], ...]
    kept: tuple[KeptByLaw, ...]
    has_receipt: bool


class DeletionPages:
    """Answers for both pages and their forms."""

    def __init__(self, parts: Parts, pages: SitePages, rights: Rights) -> None:
        self._parts, self._pages, self._rights = parts, pages, rights
        self._notices = Notices(parts)
        self._rule = deletion_rule(parts.deployment)
        ring = parts.settings.receipts
        self._keys = SigningKeys(ring) if ring is not None else None
        self._kept = tuple(
            KeptByLaw(
                f"{parts.deployment.record(hold.record).label} ({_shown(hold.kinds)}), {words(hold.keep)}",
                hold.law,
            )
            for hold in self._rule.holds
        )

    def routes(self) -> tuple[SiteRoute, ...]:
        receipt = re.compile(PATTERN.pattern + re.escape(RECEIPT))
        return (
            SiteRoute("privacy_delete", exactly(PATH), READING, signed_in(self._parts, self._ask)),
            SiteRoute("privacy_delete", exactly(PATH), SENDING, signed_in(self._parts, self._begin)),
            SiteRoute("deletion", PATTERN, READING, self._safe(self._page)),
            SiteRoute("deletion", PATTERN, SENDING, self._safe(self._take_back)),
            SiteRoute("deletion_receipt", receipt, READING, self._safe(self._receipt)),
        )

    async def _ask(self, exchange: Exchange, visitor: Visitor, error: str = "") -> web.StreamResponse:
        balance = await self._parts.reader.total(LEDGER, "amount_nanousd", "billing", owner=visitor.account)
        view = AskView(balance, words(self._rule.grace), words(self._rule.within), self._kept, error)
        status = 400 if error else 200
        return self._pages.reply(exchange, "privacy_delete.html.jinja", view, visitor, status=status)

    async def _begin(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        form = await read_form(exchange, visitor)
        balance = await self._parts.reader.total(LEDGER, "amount_nanousd", "billing", owner=visitor.account)
        if form.get("sure") != "yes":
            return await self._ask(exchange, visitor, "Tick the box to say that you mean it. Nothing was changed.")
        if balance > 0 and form.get("give_up") != "yes":
            return await self._ask(exchange, visitor, "There is credit left: get it back first, or give it up.")
        credit: Credit = "given_up" if balance > 0 else "no_credit"
        begun: Begun = await self._rights.deletions.begin(visitor.account, "page", credit, datetime.now(UTC))
        return see_other(self._rights.links.page(begun.id))

    async def _page(self, exchange: Exchange, deletion: DeletionRecord) -> web.StreamResponse:
        now = datetime.now(UTC)
        grace_until = self._rights.deletions.grace_until(deletion.asked_at)
        view = DeletionView(
            path=exchange.path,
            deletion=deletion,
            grace_until=grace_until,
            can_be_taken_back=deletion.state == "waiting" and now < grace_until,
            is_late=deletion.is_late(now),
            steps=tuple((self._label(step), _told(step)) for step in deletion.steps),
            kept=self._kept if deletion.kept_until is not None or deletion.state == "waiting" else (),
            has_receipt=deletion.state == "done" and self._keys is not None,
        )
        return self._pages.reply(exchange, "deletion.html.jinja", view)

    async def _take_back(self, exchange: Exchange, deletion: DeletionRecord) -> web.StreamResponse:
        # Nobody is signed in: the address itself is what no other site knows.
        await read_form(exchange, None)
        try:
            await self._rights.deletions.take_back(deletion.id, datetime.now(UTC))
        except (TooLateError, NoSuchAccountError):
            return self._notices.page(exchange, _TOO_LATE, status=409)
        return self._notices.page(exchange, _TAKEN_BACK, status=200)

    async def _receipt(self, exchange: Exchange, deletion: DeletionRecord) -> web.StreamResponse:
        if deletion.state != "done" or self._keys is None:
            return self._notices.page(exchange, _NO_RECEIPT, status=404)
        receipt = signed_receipt(self._parts.deployment, deletion, self._keys)
        headers = {
            "content-type": "application/jose",
            "content-disposition": 'attachment; filename="deletion-receipt.jws"',
            "cache-control": "no-store",
        }
        return Reply(headers=headers, body=receipt.encode("ascii"))

    def _safe(self, answer: "ForDeletion") -> Answerer:
        async def answered(exchange: Exchange) -> web.StreamResponse:
            try:
                deletion = await self._found(exchange.path.removesuffix(RECEIPT))
                if deletion is None:
                    return self._notices.page(exchange, _UNKNOWN, status=404)
                return await answer(exchange, deletion)
            except CrossSiteError:
                return self._notices.cross_site(exchange, None)
            except BadFormError as error:
                return self._notices.bad_form(exchange, None, str(error))
            except DatabaseError:
                return self._notices.database_away(exchange, None)

        return answered

    async def _found(self, path: str) -> DeletionRecord | None:
        deletion: uuid.UUID | None = self._rights.links.read(path)
        return await self._rights.records.find(deletion) if deletion is not None else None

    def _label(self, step: ErasureStep) -> str:
        known = {processor.name: processor.label for processor in self._parts.deployment.processors}
        return known.get(step.processor, step.processor)


ForDeletion = Callable[[Exchange, DeletionRecord], Awaitable[web.StreamResponse]]


def _told(step: ErasureStep) -> str:
    match step.state:
        case "done":
            return "its copy is gone"
        case "nothing_held":
            return "it was sent nothing that names you"
        case "withdrawn":
            return "nothing to do: taken back"
        case _:
            return "asked, has not confirmed yet; we ask again" if step.attempts else "will be asked"


def words(period: Period) -> str:
    """A period in words."""
    years, months = divmod(period.months, 12)
    counted = [(years, "year"), (months, "month"), (period.days, "day"), (period.seconds // 3600, "hour")]
    return " and ".join(f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in counted if count) or "no time"


_TAKEN_BACK: Final = Notice(
    "The deletion is taken back",
    ("Your account is as it was, but for its API keys: they have ended, and you can make a new one.",),
    (SIGN_IN, HOME),
)
_TOO_LATE: Final = Notice("It is too late", ("The time in which this deletion could be taken back is over.",))
_NO_RECEIPT: Final = Notice("There is no receipt yet", ("It is there when every step of the deletion has ended.",))
_UNKNOWN: Final = Notice("There is no such deletion", ("The address is not one of ours, or its time is over.",))


def _shown(kinds: Sequence[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds) or "all"
