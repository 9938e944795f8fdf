"""Decides who may send a request on: key, rate limits, what the body asks for, its price, credit.

Each question has a form that answers at once from what this process knows, and one that may ask the database. The
answers are the same, and so are the refusals, whichever way a request came in.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from crouter.contract.traffic import Limits
from crouter.runtime.credit.lease import Hold
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.limits import Pass, Reached, requests_only
from crouter.runtime.parts import Parts
from crouter.runtime.pricing.most import most_it_can_cost
from crouter.runtime.pricing.unpriced import unpriced_in
from crouter.runtime.proxy.authentication import Ambiguous, ApiKey, Missing, Presented, presented_key
from crouter.runtime.proxy.completion_request import Completion, read_completion
from crouter.runtime.proxy.errors import (
    ErrorReply,
    authentication_ambiguous,
    authentication_failed,
    authentication_missing,
    balance_too_low,
    invalid_request,
    overloaded,
    rate_limited,
    spending_limit_reached,
    unavailable,
)
from crouter.runtime.proxy.overload import Entered, Overloaded
from crouter.runtime.proxy.request import Accepted, Refused, read_request
from crouter.runtime.spending.spending import LimitReachedError
from crouter.runtime.words import kind_of


def key_in(headers: Sequence[tuple[str, str]]) -> ApiKey | ErrorReply:
    """The key that a request presents, or why there is none."""
    match presented_key(headers):
        case Presented(key):
            return key
        case Missing():
            return authentication_missing()
        case Ambiguous():
            return authentication_ambiguous()
        case _:
            return authentication_failed()


class Admission:
    """The questions that stand between a request and the upstream."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._declared = parts.deployment.proxy.limits

    def known_caller(self, key: ApiKey) -> Caller | None:
        """Whose request it is, as far as this process knows; None where the database has to be asked."""
        return self._parts.lookup.known(key)

    async def caller(self, key: ApiKey, request_id: str) -> Caller | ErrorReply:
        """Whose request it is, or why it goes no further. A database that is away is never an invalid key."""
        try:
            caller = await self._parts.lookup.caller(key)
        except DatabaseError as error:
            return self._away(request_id, error)
        return authentication_failed() if caller is None else caller

    def known_pass(self, caller: Caller, *, metered: bool) -> Pass | ErrorReply | None:
        """A pass through the limits of the key, which whoever gets it closes; None where others have to be asked."""
        key, limits = self._limited(caller, metered)
        passed = self._parts.limits.admit(key, limits)
        return self._refused(passed) if isinstance(passed, Reached) else passed

    async def pass_for(self, caller: Caller, *, metered: bool) -> Pass | ErrorReply:
        """The same, also where those have to be asked who share the limits."""
        key, limits = self._limited(caller, metered)
        passed = self._parts.limits.admit(key, limits) or await self._parts.limits.admitted(key, limits)
        return self._refused(passed) if isinstance(passed, Reached) else passed

    def enter(self, caller: Caller) -> Entered | ErrorReply:
        """A place among the requests that are under way; whoever gets it closes it."""
        entered = self._parts.places.try_enter(caller.account.int)
        return overloaded(entered.retry_after_seconds) if isinstance(entered, Overloaded) else entered

    def read(self, body: bytes, at: datetime) -> Accepted | ErrorReply:
        """What the body of a metered request asks for, if all that the upstream may run for it has a price."""
        accepted = read_request(body)
        if isinstance(accepted, Refused):
            return invalid_request(accepted.message)
        unpriced = unpriced_in(accepted, self._parts.prices, at)
        return accepted if unpriced is None else invalid_request(unpriced.message)

    def read_completion(self, body: bytes, at: datetime) -> Completion | ErrorReply:
        """The same for the body of a chat completion."""
        asked = read_completion(body)
        if isinstance(asked, Refused):
            return invalid_request(asked.message)
        unpriced = unpriced_in(asked.accepted, self._parts.prices, at)
        return asked if unpriced is None else invalid_request(unpriced.message)

    def most(self, accepted: Accepted, body: bytes, at: datetime) -> int:
        """The most that the request can cost, in nanodollars."""
        return most_it_can_cost(accepted, body, self._parts.prices, at)

    def known_hold(self, caller: Caller, nanousd: int, at: datetime) -> Hold | None:
        """Holds so much of the credit that this process has; None says nothing: ask `hold`."""
        parts = self._parts
        hold = parts.credit.try_reserve(caller.account, nanousd) if parts.settling.has_room else None
        if hold is not None and caller.is_limited and parts.spending is not None:
            beside = parts.spending.try_reserve(caller, nanousd, at)
            if beside is None:
                hold.close()
                return None
            hold.beside = beside
        return hold

    async def hold(self, caller: Caller, nanousd: int, at: datetime, request_id: str) -> Hold | ErrorReply:
        """Holds the most that a request can cost, or says why it is refused: also while records have no place to go."""
        parts = self._parts
        if not parts.settling.has_room:
            return unavailable()
        try:
            beside = await self._below_limits(caller, nanousd, at)
        except DatabaseError as error:
            return self._away(request_id, error)
        except LimitReachedError as reached:
            return spending_limit_reached(nanousd, at, of_key=reached.of_key)
        hold: Hold | None = None
        try:
            hold = await parts.credit.reserve(caller.account, nanousd)
        except DatabaseError as error:
            return self._away(request_id, error)
        finally:
            if hold is None:
                for other in beside:
                    other.close()
        if hold is None:
            return balance_too_low(nanousd)
        hold.beside = beside
        return hold

    async def _below_limits(self, caller: Caller, nanousd: int, at: datetime) -> tuple[Hold, ...]:
        if not caller.is_limited or self._parts.spending is None:
            return ()
        return await self._parts.spending.reserve(caller, nanousd, at)

    def _limited(self, caller: Caller, metered: bool) -> tuple[tuple[UUID, bool], Limits]:
        # Counting tokens and listing models has windows of its own: it must not eat up those of messages.
        limits = caller.limits or self._declared
        return (caller.key, metered), limits if metered else requests_only(limits)

    def _refused(self, reached: Reached) -> ErrorReply:
        self._parts.metrics.count("crouter_limits_reached_total", limit=reached.limit)
        headers = () if reached.standing is None else tuple(reached.standing.headers(time.time()))
        return rate_limited(reached.name, reached.retry_after_seconds, headers)

    def _away(self, request_id: str, error: DatabaseError) -> ErrorReply:
        self._parts.log.warning("database_away", request_id=request_id, error=kind_of(error))
        return unavailable()
