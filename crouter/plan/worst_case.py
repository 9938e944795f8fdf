"""How long something can be there after its period, at worst: computed, so that it can be told.

A row goes with the job's next run, which may be late. Its bytes may stay in the table's file until they are overwritten
or their partition is dropped, and in backups until these are too old.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crouter.policy.model import Policy
from crouter.policy.parts.promises import KeepFor
from crouter.policy.types import Duration

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Each counted from the end of the period. `partition` needs partitions, `backups` a declared age."""

    row: Duration
    partition: Duration | None
    backups: Duration | None


def worst_case(policy: Policy, rule: KeepFor) -> WorstCase:
    """What the parts of a rule, and the age of backups, add up to."""
    row = total((rule.every, rule.lag_max))
    partition = total((row, rule.partitions)) if rule.partitions is not None else None
    age = policy.disclosures.backups if policy.disclosures else None
    return WorstCase(row, partition, total((partition or row, age)) if isinstance(age, Duration) else None)


def total(durations: Iterable[Duration]) -> Duration:
    """The sum; hours that make whole days are told as days."""
    months = days = seconds = 0
    for duration in durations:
        months, days, seconds = months + duration.months, days + duration.days, seconds + duration.seconds
    days, seconds = days + seconds // _DAY, seconds % _DAY
    hours, minutes = seconds // 3_600, seconds % 3_600 // 60
    date = "".join(f"{number}{unit}" for number, unit in ((months, "M"), (days, "D")) if number)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds % 60, "S")) if number)
    return Duration(f"P{date}{'T' if time else ''}{time}", months, days, seconds)
