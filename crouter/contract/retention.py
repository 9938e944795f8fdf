"""Declares every purge and every deletion."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Period:
    """A duration of calendar months, days and seconds; `text` is ISO 8601."""

    text: str
    months: int
    days: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a job runs and how late it may be."""

    every: Period
    lag_max: Period


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of `record` with `kind_column = kind` that end by being summed into one row of kind `into` per owner."""

    record: str
    time_column: str
    kind_column: str
    kind: str
    into: str
    sum_column: str
    owner_column: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Rows of `records` go once `time_column` is `keep` or more in the past; `folds` are summed at the same age.

    With `partitions` the tables of `records` are partitioned by `time_column` in ranges of that width.
    """

    name: str
    policy_path: str
    records: tuple[str, ...]
    time_column: str
    keep: Period
    schedule: Schedule
    folds: tuple[Fold, ...] = ()
    partitions: Period | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What the law requires to keep after a deletion: rows of `record` with `kind_column` in `kinds` (all if empty)."""

    record: str
    kind_column: str | None
    kinds: tuple[str, ...]
    time_column: str
    keep: Period
    law: str


@dataclass(frozen=True, slots=True)
class Erase:
    """Personal data of an owner goes `grace` after `time_column` was set, and in any case `within` it.

    `records` are the owned records; the owner's own personal fields are emptied, and its row removed once nothing
    refers to it.
    """

    name: str
    policy_path: str
    owner: str
    time_column: str
    erased_column: str
    records: tuple[str, ...]
    grace: Period
    within: Period
    schedule: Schedule
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """Every rule, and the record that holds the evidence of each run."""

    expire: tuple[Expire, ...]
    erase: tuple[Erase, ...]
    evidence: str | None
