"""The parts that a running service is made of; put together once, at the start, in `crouter.runtime.running`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crouter.contract.deployment import Deployment
from crouter.runtime.analytics.sending import Sender
from crouter.runtime.credit.credit import Credit
from crouter.runtime.dashboard.live import LiveUsage
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import ContentChannel
from crouter.runtime.heartbeat import Heartbeat
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.key_lookup import KeyLookup
from crouter.runtime.limits import Admitting
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.proxy.overload import Admission as Places
from crouter.runtime.proxy.upstream_keys import UpstreamKeys
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.settings import Settings
from crouter.runtime.settling import Settling

if TYPE_CHECKING:
    # Asked about requests, which are made of parts.
    from crouter.runtime.server.site.visitor import Visitors


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that answering requests needs."""

    deployment: Deployment
    settings: Settings
    generated: Path
    database: Database
    lookup: KeyLookup
    limits: Admitting
    credit: Credit
    reader: PurposeReader
    channel: ContentChannel
    keys: UpstreamKeys
    places: Places
    settling: Settling
    prices: PriceBook
    log: Log
    metrics: Metrics
    heartbeat: Heartbeat
    visitors: "Visitors"
    live: LiveUsage | None
    """None where the policy lets no dashboard read usage."""
    identity: IdentityProvider | None
    """Who tells who people are; None where nobody is asked, as in development."""
    analytics: Sender | None
    """Takes events of pages; None where nothing is measured."""
