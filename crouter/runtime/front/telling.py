"""Tells of every answered request: one log line and one count, the same for both ways through the service."""

import time
from typing import Final

from crouter.runtime.logs import Log, Pattern
from crouter.runtime.metrics import Metrics

CLIENT_LEFT_STATUS: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PATTERNS_MAX: Final = 1_000


class Teller:
    """Writes what there is to say when a request has been answered, or its client has left."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._patterns: dict[tuple[str, str, int], Pattern] = {}

    def answered(self, request_id: str, route: str, method: str, status: int, began: float) -> None:
        """`began` is monotonic. A status of `CLIENT_LEFT_STATUS` stands for a client that left."""
        duration_ms = round((time.monotonic() - began) * 1000)
        pattern = self._patterns.get((route, method, status)) or self._pattern(route, method, status)
        self._metrics.count("crouter_requests_total", route=route, status=str(status))
        pattern.write(request_id, duration_ms)

    def _pattern(self, route: str, method: str, status: int) -> Pattern:
        # A method is free text of the client's as far as HTTP goes.
        method = method if method in _METHODS else "other"
        pattern = self._log.pattern(
            "info",
            "answered",
            request_id="request_id",
            route=route,
            method=method,
            status=status,
            number="duration_ms",
        )
        if len(self._patterns) < _PATTERNS_MAX:
            self._patterns[route, method, status] = pattern
        return pattern
