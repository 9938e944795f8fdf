"""Tells of every answered request: one log line and one count, the same for both ways through the service."""

import time
from typing import Final

from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics

CLIENT_LEFT_STATUS: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Teller:
    """Writes what there is to say when a request has been answered, or its client has left."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    def answered(self, request_id: str, route: str, method: str, status: int, began: float) -> None:
        """`began` is monotonic. A status of `CLIENT_LEFT_STATUS` stands for a client that left."""
        self._metrics.count("crouter_requests_total", route=route, status=str(status))
        self._log.info(
            "answered",
            request_id=request_id,
            route=route,
            # A method is free text of the client's as far as HTTP goes.
            method=method if method in _METHODS else "other",
            status=status,
            duration_ms=round((time.monotonic() - began) * 1000),
        )
