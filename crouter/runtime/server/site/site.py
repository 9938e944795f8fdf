"""All routes of the site, one line for each part of it."""

from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.site.assets import Assets
from crouter.runtime.server.site.home import Home
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.pricing import Pricing
from crouter.runtime.server.site.route import SiteRoute
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.server.site.setup import Setup
from crouter.runtime.server.site.sign_in import SignIn
from crouter.runtime.server.site.status_page import StatusPages
from crouter.runtime.server.site.usage import account_usage_routes


def site_routes(parts: Parts) -> tuple[SiteRoute, ...]:
    """Every address of the site; of two that match, the first one answers."""
    pages, visitors = SitePages(parts), parts.visitors
    return (
        *Assets(parts).routes(),
        *Home(parts, pages).routes(),
        *Pricing(parts, pages).routes(),
        *StatusPages(parts, pages).routes(),
        *Setup(parts, pages).routes(),
        *account_usage_routes(parts, pages),
        *(SignIn(parts, visitors).routes() if isinstance(visitors, SessionVisitors) else ()),
    )
