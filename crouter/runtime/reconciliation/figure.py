"""One number that two sides know, and what explains the difference between them. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Source = Literal["ledger", "stripe", "upstream"]
State = Literal["agrees", "explained", "unexplained", "unknown"]
Cause = Literal[
    "in_journal",
    "set_aside",
    "batches_unread",
    "clock_edge",
    "other_keys",
    "follows_counts",
    "on_its_way",
    "fee_not_known",
    "not_ours",
]
"""Why two sides may differ and both be right. What each means stands in `CAUSES`."""

CAUSES: Mapping[Cause, str] = {
    "in_journal": "recorded on this machine, and not in the database yet",
    "set_aside": "refused by the database and set aside: `crouter journal list`",
    "batches_unread": "message batches: counted there when they run, and here when their results are read",
    "clock_edge": "counted by the other side on the day before or after",
    "other_keys": "used with keys of the same organization that are not this service's",
    "follows_counts": "follows from counts that differ, and are explained above",
    "on_its_way": "a payment whose news has not come yet",
    "fee_not_known": "a fee that is not booked yet",
    "not_ours": "a movement that is not about a customer, such as a payout to the bank",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A whole number of one day. `theirs` is None where the other side could not be asked.

    `subject` is a model or a kind of movement; `measure` says what was counted, its unit last.
    """

    source: Source
    day: date
    subject: str
    measure: str
    ours: int
    theirs: int | None
    causes: Mapping[Cause, int] = field(default_factory=dict)
    """How much of the difference each explains; below zero where ours is the greater."""

    @property
    def difference(self) -> int:
        """What the other side has more; 0 while that is not known."""
        return 0 if self.theirs is None else self.theirs - self.ours

    @property
    def unexplained(self) -> int:
        """What of the difference has no cause."""
        return self.difference - sum(self.causes.values())

    @property
    def state(self) -> State:
        if self.theirs is None:
            return "unknown"
        if self.unexplained:
            return "unexplained"
        return "explained" if any(self.causes.values()) else "agrees"


def within(difference: int, most: int) -> int:
    """How much of a difference a cause explains that can account for at most `most` in the same direction."""
    if difference > 0:
        return min(difference, max(0, most))
    return max(difference, min(0, most))
