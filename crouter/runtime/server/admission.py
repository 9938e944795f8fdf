"""Asks of a request that came over aiohttp whose it is, and whether its key may send it now."""

from crouter.runtime.front.admission import Admission, key_in
from crouter.runtime.key_lookup import Caller
from crouter.runtime.limits import Pass
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.server.exchange import Exchange, Parts


async def admit(exchange: Exchange, parts: Parts, *, metered: bool) -> Caller | ErrorReply:
    """Whose request it is, or why it goes no further. A database that is away is never an invalid key.

    It counts as a request, and not as one that is under way.
    """
    passed = await passed_in(exchange, parts, metered=metered)
    if isinstance(passed, ErrorReply):
        return passed
    caller, its_pass = passed
    its_pass.close()
    return caller


async def passed_in(exchange: Exchange, parts: Parts, *, metered: bool) -> tuple[Caller, Pass] | ErrorReply:
    """The same, with its pass, which whoever gets it closes."""
    key = key_in(tuple(exchange.request.headers.items()))
    if isinstance(key, ErrorReply):
        return key
    admission = Admission(parts)
    caller = await admission.caller(key, exchange.request_id)
    if isinstance(caller, ErrorReply):
        return caller
    passed = await admission.pass_for(caller, metered=metered)
    return passed if isinstance(passed, ErrorReply) else (caller, passed)
