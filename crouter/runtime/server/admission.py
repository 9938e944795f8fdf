"""Asks of a request that came over aiohttp whose it is."""

from crouter.runtime.front.admission import Admission, key_in
from crouter.runtime.key_lookup import Caller
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.server.exchange import Exchange, Parts


async def admit(exchange: Exchange, parts: Parts, *, metered: bool) -> Caller | ErrorReply:
    """Whose request it is, or why it goes no further. A database that is away is never an invalid key."""
    key = key_in(tuple(exchange.request.headers.items()))
    if isinstance(key, ErrorReply):
        return key
    return await Admission(parts).caller(key, exchange.request_id, metered=metered)
