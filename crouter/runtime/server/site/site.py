"""All routes of the site, one line for each part of it."""

from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.site.analytics import AnalyticsRelay
from crouter.runtime.server.site.asking import asked
from crouter.runtime.server.site.assets import Assets
from crouter.runtime.server.site.consent import Consent
from crouter.runtime.server.site.home import Home
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import SiteRoute
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.server.site.sign_in import SignIn


def site_routes(parts: Parts) -> tuple[SiteRoute, ...]:
    """Every address of the site; of two that match, the first one answers."""
    pages, visitors, question = SitePages(parts), parts.visitors, asked(parts)
    return (
        *Assets(parts).routes(),
        *Home(parts, pages).routes(),
        *(Consent(parts, question).routes() if question is not None else ()),
        *(
            AnalyticsRelay(parts, question, sender).routes()
            if question is not None and (sender := parts.analytics)
            else ()
        ),
        *(SignIn(parts, visitors).routes() if isinstance(visitors, SessionVisitors) else ()),
    )
