"""Tells of every answered request: one log line and one count, the same for both ways through the service."""

import time
from typing import Final

from crouter.runtime.logs import Log, Pattern
from crouter.runtime.metrics import Counter, Metrics

CLIENT_LEFT_STATUS: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PATTERNS_MAX: Final = 1_000


class Teller:
    """Writes what there is to say when a request has been answered, or its client has left."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._told: dict[tuple[str, str, int], _Told] = {}

    def answered(self, request_id: str, route: str, method: str, status: int, began: float) -> None:
        """`began` is monotonic. A status of `CLIENT_LEFT_STATUS` stands for a client that left."""
        told = self._told.get((route, method, status)) or self._tell(route, method, status)
        told.counter.add()
        told.pattern.write(request_id, round((time.monotonic() - began) * 1000))

    def _tell(self, route: str, method: str, status: int) -> "_Told":
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
        told = _Told(pattern, self._metrics.counter("crouter_requests_total", route=route, status=str(status)))
        if len(self._told) < _PATTERNS_MAX:
            self._told[route, method, status] = told
        return told


class _Told:
    """What is said of all requests to one route with one method and one status."""

    __slots__ = ("counter", "pattern")

    def __init__(self, pattern: Pattern, counter: Counter) -> None:
        self.pattern = pattern
        self.counter = counter
