"""Shows an operator how the upstream keys are, by label only. Judges nothing: that is `proxy/upstream_keys.py`."""

from typing import get_args

from crouter.runtime.metrics import Metrics, Shown
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


def count_attempt(metrics: Metrics, taken: Taken, outcome: Outcome) -> None:
    """Counts an attempt that has ended; `refused` is what an operator wants to be woken by."""
    metrics.count("crouter_upstream_attempts_total", key=taken.label, outcome=outcome.value)
