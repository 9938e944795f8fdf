"""What a run is asked to do, what it says on the way, and what it ends with. Values only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["complete", "dry_run", "refused", "failed", "skipped"]


class RetentionRefusedError(Exception):
    """The run was asked for something that is not done; nothing was touched. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    """After a batch: rows that `rule` has removed from `record` in this run, of those that were counted before it."""

    rule: str
    record: str
    removed: int
    expected: int


@dataclass(frozen=True, slots=True)
class RetentionOptions:
    """How a run is done.

    `rule` limits it to the rule of that name. `as_of` is the moment that ages are measured at, with a time zone; the
    database's clock when None. A run that would remove more than `share_percent_max` percent and more than
    `rows_always_allowed` rows of one table is refused. `stopped` is asked between batches.
    """

    rule: str | None = None
    dry_run: bool = False
    as_of: datetime | None = None
    allow_future: bool = False
    share_percent_max: int = 20
    rows_always_allowed: int = 1000
    batch_rows: int = 10_000
    stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class RunResult:
    """How one rule ended. It holds no personal data.

    `expected` rows were counted before the run, `share_percent` is the largest share of a table among them. `error` is
    a word, empty unless the outcome is refused or failed; `sentence` says what to do.
    """

    rule: str
    outcome: Outcome
    as_of: datetime
    removed: int
    expected: int
    share_percent: float
    duration_ms: int
    error: str = ""
    sentence: str = ""
