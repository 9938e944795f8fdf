"""A stand-in for Anthropic's Messages API: no model, no network, no log.

`make run` uses it as the upstream when there is no Anthropic key, and tests use it as an upstream
they can script. Decisions are pure functions; sockets are touched in `server` and `playing` only.
"""

from crouter.simulator.ledger import Attempt, Ledger
from crouter.simulator.reply import Hangup, Reset, Send, Stall, Wait
from crouter.simulator.script import Scripted
from crouter.simulator.server import Simulator

__all__ = [
    "Attempt",
    "Hangup",
    "Ledger",
    "Reset",
    "Scripted",
    "Send",
    "Simulator",
    "Stall",
    "Wait",
]
