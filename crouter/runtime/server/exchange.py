"""One request that came over aiohttp, on its way through the service."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from crouter.runtime.parts import Parts
from crouter.runtime.proxy.request_id import new_request_id

__all__ = ("Exchange", "Parts")


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
    def target(self) -> str:
        """The path with its query, as it goes on to the upstream."""
        return self.path + (f"?{self.query}" if "?" in self.request.raw_path else "")

    @property
    def answer_began(self) -> bool:
        """Whether bytes of an answer have left already."""
        return self.request.writer.output_size > 0
