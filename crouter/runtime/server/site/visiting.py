"""Who looks at a page that everybody may see. With the database away nobody is known, and the page is there."""

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.visitor import Visitor


async def known_visitor(parts: Parts, exchange: Exchange) -> Visitor | None:
    """The visitor, None for nobody that can be recognised now."""
    try:
        return await parts.visitors.of(exchange)
    except DatabaseError:
        return None
