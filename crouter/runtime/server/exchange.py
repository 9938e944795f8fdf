"""One request on its way through the service, and the parts that it meets."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.balances import Balances
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import ContentChannel
from crouter.runtime.heartbeat import Heartbeat
from crouter.runtime.key_lookup import KeyLookup
from crouter.runtime.limits import RateLimits
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.proxy.request_id import new_request_id
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.settings import Settings
from crouter.runtime.settling import Settling


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that handlers use; made once, at the start."""

    deployment: Deployment
    settings: Settings
    generated: Path
    database: Database
    lookup: KeyLookup
    limits: RateLimits
    balances: Balances
    reader: PurposeReader
    channel: ContentChannel
    settling: Settling
    prices: PriceBook
    log: Log
    metrics: Metrics
    heartbeat: Heartbeat


@dataclass(slots=True)
class Exchange:
    """One request. `route` is the declared name of what it asked for; `path` and `query` are raw."""

    request: web.BaseRequest
    request_id: str = field(default_factory=new_request_id)
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)
    route: str = "unknown"

    @property
    def path(self) -> str:
        return self.request.raw_path.partition("?")[0]

    @property
    def query(self) -> str:
        return self.request.raw_path.partition("?")[2]

    @property
    def answer_began(self) -> bool:
        """Whether bytes of an answer have left already."""
        return self.request.writer.output_size > 0

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)
