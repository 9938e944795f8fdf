"""All routes of the site, one line for each part of it."""

from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.site.account_api import AccountApi
from crouter.runtime.server.site.admin import Admin
from crouter.runtime.server.site.assets import Assets
from crouter.runtime.server.site.deletion_pages import DeletionPages
from crouter.runtime.server.site.home import Home
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.privacy_centre import PrivacyCentre
from crouter.runtime.server.site.route import SiteRoute
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.server.site.sign_in import SignIn


def site_routes(parts: Parts) -> tuple[SiteRoute, ...]:
    """Every address of the site; of two that match, the first one answers."""
    pages, visitors = SitePages(parts), parts.visitors
    return (
        *Assets(parts).routes(),
        *Home(parts, pages).routes(),
        *_rights(parts, pages),
        *(SignIn(parts, visitors).routes() if isinstance(visitors, SessionVisitors) else ()),
        *AccountApi(parts).routes(),
        *Admin(parts, pages).routes(),
    )


def _rights(parts: Parts, pages: SitePages) -> tuple[SiteRoute, ...]:
    if parts.rights is None:
        return ()
    return (*PrivacyCentre(parts, pages, parts.rights).routes(), *DeletionPages(parts, pages, parts.rights).routes())
