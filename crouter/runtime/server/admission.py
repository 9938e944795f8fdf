"""Decides who may send a request on: key, rate limits, credit."""

from crouter.runtime.credit.lease import Hold
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.proxy.authentication import Ambiguous, Missing, Presentation, Presented, presented_key
from crouter.runtime.proxy.errors import (
    ErrorReply,
    authentication_ambiguous,
    authentication_failed,
    authentication_missing,
    balance_too_low,
    rate_limited,
    unavailable,
)
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.words import kind_of


async def admit(exchange: Exchange, parts: Parts, *, metered: bool) -> Caller | ErrorReply:
    """Whose request it is, or why it goes no further. A database that is away is never an invalid key."""
    presentation = presented_key(exchange.request.headers.items())
    if not isinstance(presentation, Presented):
        return _unpresented(presentation)
    try:
        caller = await parts.lookup.caller(presentation.key)
    except DatabaseError as error:
        return _away(exchange, parts, error)
    if caller is None:
        return authentication_failed()
    # Counting tokens and listing models has windows of its own: it must not eat up those of messages.
    reached = parts.limits.admit((caller.key, metered))
    if reached is not None:
        return rate_limited(reached.name, reached.retry_after_seconds)
    return caller


async def reserve(exchange: Exchange, parts: Parts, caller: Caller, nanousd: int) -> Hold | ErrorReply:
    """Holds the most that a request can cost, or says why it is refused: also while records have no place to go."""
    if not parts.settling.has_room:
        return unavailable()
    hold = parts.credit.try_reserve(caller.account, nanousd)
    if hold is not None:
        return hold
    try:
        hold = await parts.credit.reserve(caller.account, nanousd)
    except DatabaseError as error:
        return _away(exchange, parts, error)
    return hold or balance_too_low(nanousd)


def _unpresented(presentation: Presentation) -> ErrorReply:
    match presentation:
        case Missing():
            return authentication_missing()
        case Ambiguous():
            return authentication_ambiguous()
        case _:
            return authentication_failed()


def _away(exchange: Exchange, parts: Parts, error: DatabaseError) -> ErrorReply:
    parts.log.warning("database_away", request_id=exchange.request_id, error=kind_of(error))
    return unavailable()
