"""Says in SQL which rows have reached an age, in calendar months and UTC.

A row is of age `keep` at the moment `time + keep`, as PostgreSQL adds: a month later is the same day of the next month,
or that month's last day where it has no such day. What is kept 12 months from 29 February is kept until 28 February.

That sum is what decides, for every row. It cannot use an index, so a bound goes with it: the greatest time whose sum is
not after the moment asked for. The bound alone would not do. Sums are not in the order of their times where a month's
last days fall together: one month after 30 January 23:00 is later than one month after 31 January 06:00.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, sql

from crouter.contract.retention import Period

# Sessions of retention are in UTC, where a day has 24 hours and `timestamptz + interval` is calendar arithmetic.
# Midnights around the moment one period earlier. The greatest of them whose sum is not too late begins the last day
# that has rows of age; five days on either side cover what the ends of months can shift.
_BOUND = """\
SELECT max(day + least(%(as_of)s - (day + period), interval '1 day' - interval '1 microsecond'))
FROM (SELECT make_interval(months => %(months)s, days => %(days)s, secs => %(seconds)s)) AS given (period),
     LATERAL generate_series(-5, 5) AS shift,
     LATERAL (SELECT date_trunc('day', %(as_of)s - period) + shift * interval '1 day') AS near (day)
WHERE day + period <= %(as_of)s"""


def interval(period: Period) -> sql.Composed:
    """The period as PostgreSQL's interval: months, days and seconds stay apart."""
    return sql.SQL("make_interval(months => {}, days => {}, secs => {})").format(
        sql.Literal(period.months), sql.Literal(period.days), sql.Literal(period.seconds)
    )


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The rows that have reached the age `keep` at the moment `as_of`; none is later than `bound`."""

    keep: Period
    as_of: datetime
    bound: datetime

    @classmethod
    def compute(cls, connection: Connection[Any], keep: Period, as_of: datetime) -> "Cutoff":
        """Ask PostgreSQL for the bound. The session has to be in UTC."""
        parameters = {"as_of": as_of, "months": keep.months, "days": keep.days, "seconds": keep.seconds}
        row = connection.execute(_BOUND, parameters).fetchone()
        assert row is not None
        assert isinstance(row[0], datetime), "some midnight near the moment one period earlier is of age"
        return cls(keep, as_of, row[0])

    def reached(self, column: sql.Composable) -> sql.Composed:
        """The condition that the row's time in `column` is `keep` or more before `as_of`."""
        return sql.SQL("({column} <= {bound} AND {column} + {keep} <= {as_of})").format(
            column=column, bound=sql.Literal(self.bound), keep=interval(self.keep), as_of=sql.Literal(self.as_of)
        )


def earlier(moment: datetime, *periods: Period) -> datetime:
    """`moment` less periods; a month counts as its longest, 31 days, since what is late must be late for certain."""
    days = sum(period.days + 31 * period.months for period in periods)
    return moment - timedelta(days=days, seconds=sum(period.seconds for period in periods))
