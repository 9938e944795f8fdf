"""Shows an operator how the upstream keys are, by label only. Judges nothing: that is `proxy/upstream_keys.py`."""

from typing import get_args

from crouter.runtime.metrics import Counter, Metrics, Shown
from crouter.runtime.proxy.upstream_keys import KeyState, Outcome, Taken, UpstreamKeys


def show_upstream_keys(metrics: Metrics, keys: UpstreamKeys) -> None:
    """Makes state and load of each key readable from now on; each state is a series of its own, 1 or 0."""

    def states() -> Shown:
        for key in keys.health():
            for state in get_args(KeyState):
                yield {"key": key.label, "state": state}, float(key.state == state)

    def in_flight() -> Shown:
        for key in keys.health():
            yield {"key": key.label}, float(key.in_flight)

    metrics.show("crouter_upstream_key_state", states)
    metrics.show("crouter_upstream_in_flight", in_flight)


class AttemptCounts:
    """Counts attempts that have ended; `refused` is what an operator wants to be woken by."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # By label and outcome in one text, which is cheap to find.
        self._counters: dict[str, Counter] = {}

    def add(self, taken: Taken, outcome: Outcome) -> None:
        """One more with this key and this end."""
        of = taken.label + outcome
        counter = self._counters.get(of)
        if counter is None:
            counter = self._metrics.counter("crouter_upstream_attempts_total", key=taken.label, outcome=outcome.value)
            self._counters[of] = counter
        counter.add()
