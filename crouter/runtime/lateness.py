"""Says of a row that comes late whether its period is over already: then it is not written, and cannot come back.

The same calendar as that of the jobs: `runtime/retention/cutoff.py` asks PostgreSQL, this does without. Left out: what
else comes with the row. A charge is written however late it is, since a balance forgets nothing.
"""

import calendar
from datetime import UTC, datetime, timedelta

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period


class Lateness:
    """The periods of one record, by the columns at which they begin."""

    def __init__(self, deployment: Deployment, record: str) -> None:
        rules = (rule for rule in deployment.retention.expire if record in rule.records)
        self._periods = tuple((rule.time_column, rule.keep) for rule in rules)

    def is_over(self, column: str, moment: datetime, now: datetime) -> bool:
        """Whether a row with `moment` in `column` has reached its age at `now`. Both have a time zone."""
        return any(begins == column and end(moment, keep) <= now for begins, keep in self._periods)


def end(moment: datetime, keep: Period) -> datetime:
    """`moment + keep` in UTC: a month later is the same day of the next month, or that month's last day."""
    begin = moment.astimezone(UTC)
    years, month = divmod(begin.year * 12 + begin.month - 1 + keep.months, 12)
    day = min(begin.day, calendar.monthrange(years, month + 1)[1])
    return begin.replace(year=years, month=month + 1, day=day) + timedelta(days=keep.days, seconds=keep.seconds)
