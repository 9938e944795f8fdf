"""All routes of the site, one line for each part of it."""

from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.site.route import SiteRoute


def site_routes(parts: Parts) -> tuple[SiteRoute, ...]:
    """Every address of the site; of two that match, the first one answers."""
    del parts
    return ()
