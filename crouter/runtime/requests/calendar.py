"""By when a request has to be answered, by the calendar.

Days are days of UTC, where none is longer or shorter than another: summer time moves nothing. The day on which a
request comes is not counted, and the last day counts to its end (Regulation 1182/71, Article 3): a deadline of P30D
that begins on 31 January ends with 2 March, at the first moment of 3 March. A month later is the same day of the next
month, or that month's last day where it has no such day: P1M from 31 January ends with 28 or 29 February (GDPR,
Article 12(3)).

What the Regulation adds for weekends and holidays is not used: it could only make an answer come later.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Final

from crouter.contract.retention import Period

EXTENSION_MONTHS: Final = 2
"""GDPR, Article 12(3): by two further months where that is necessary."""

# Before the deadline, and the deadline itself: each is a warning of its own.
_WARNINGS: Final = (timedelta(days=7), timedelta(days=1), timedelta(0))
WARNINGS_MAX: Final = len(_WARNINGS)


def due_after(received_at: datetime, deadline: Period, further_months: int = 0) -> datetime:
    """The first moment at which an answer is late. `received_at` has a time zone.

    A deadline of hours or minutes ends with them.
    """
    received_at = received_at.astimezone(UTC)
    last = months_later(received_at.date(), deadline.months + further_months) + timedelta(days=deadline.days)
    if deadline.seconds:
        return datetime.combine(last, received_at.timetz()) + timedelta(seconds=deadline.seconds)
    return datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)


def after(moment: datetime, period: Period) -> datetime:
    """The moment so much later, to the second, as PostgreSQL adds."""
    moment = moment.astimezone(UTC)
    day = datetime.combine(months_later(moment.date(), period.months), moment.timetz())
    return day + timedelta(days=period.days, seconds=period.seconds)


def last_day(due_at: datetime) -> date:
    """The last day on which an answer is in time."""
    return (due_at.astimezone(UTC) - timedelta(microseconds=1)).date()


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def warnings_due(due_at: datetime, now: datetime) -> int:
    """How many warnings should have been given by now: a week before, a day before, and once it is late."""
    return sum(now >= due_at - before for before in _WARNINGS)
