"""The pages about an account's own usage, where the policy lets a dashboard read it; otherwise there are none."""

from crouter.runtime.dashboard.standing import StandingReader
from crouter.runtime.dashboard.usage_reader import UsageReader
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.site.dashboard import Dashboard
from crouter.runtime.server.site.events import Events
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import SiteRoute
from crouter.runtime.server.site.usage_pages import UsagePages


def account_usage_routes(parts: Parts, pages: SitePages) -> tuple[SiteRoute, ...]:
    """The dashboard, its events, the table of usage."""
    if parts.live is None:
        return ()
    usage = UsageReader(parts.deployment, parts.database)
    standing = StandingReader(parts.deployment, parts.database)
    return (
        *Dashboard(parts, pages, usage, standing).routes(),
        *Events(parts, parts.live).routes(),
        *UsagePages(parts, pages, usage).routes(),
    )
