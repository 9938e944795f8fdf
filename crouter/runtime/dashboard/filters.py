"""What part of its usage an account asks to see, read from a query. No I/O.

Days are whole days in UTC, both included. A cursor names the last row of a page: the next one begins below it, also
when new rows have come in the meantime.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode

DAYS: Final = 30
"""How many days are shown where none are asked for, today included."""
DAYS_MAX: Final = 400
MODEL_CHARS_MAX: Final = 200
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CURSOR: Final = re.compile(r"([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)_([0-9a-f-]{36})", re.ASCII)
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row after which a page begins."""

    occurred_at: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.occurred_at.astimezone(UTC).strftime(_STAMP)}_{self.id}"


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Rows of these days, of one model and of one key where they are given."""

    first: date
    last: date
    model: str = ""
    key: uuid.UUID | None = None

    @property
    def since(self) -> datetime:
        """The first moment that counts."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first moment that counts no more."""
        return datetime.combine(self.last, time(), UTC) + timedelta(days=1)

    def query(self, cursor: Cursor | None = None) -> str:
        """The query that asks for this, beginning after `cursor`."""
        pairs = [("from", self.first.isoformat()), ("to", self.last.isoformat())]
        pairs += [("model", self.model)] if self.model else []
        pairs += [("key", str(self.key))] if self.key is not None else []
        pairs += [("after", str(cursor))] if cursor is not None else []
        return urlencode(pairs)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for. `problems` name the parameters that could not be read, with what to do; then the rest of
    them holds what is shown instead."""

    filter: UsageFilter
    cursor: Cursor | None = None
    problems: tuple[tuple[str, str], ...] = ()


def last_days(today: date, days: int = DAYS) -> UsageFilter:
    """Everything of the last `days` days, today included."""
    return UsageFilter(today - timedelta(days=days - 1), today)


def read_filter(query: str, today: date) -> Asked:
    """What the raw query of a request asks for. Parameters that are not known are left alone."""
    try:
        given = {name: values[-1] for name, values in parse_qs(query, max_num_fields=50).items()}
    except ValueError:
        return Asked(last_days(today), None, (("from", "The address could not be read."),))
    usual, problems = last_days(today), []
    told_first, told_last = given.get("from", ""), given.get("to", "")
    if told_first and _day(told_first) is None:
        problems.append(("from", "Write the first day as 2026-01-31."))
    if told_last and _day(told_last) is None:
        problems.append(("to", "Write the last day as 2026-01-31."))
    last = _day(told_last) or usual.last
    first = _day(told_first) or last - timedelta(days=DAYS - 1)
    if first > last:
        problems.append(("to", "The last day comes before the first."))
        first, last = usual.first, usual.last
    elif (last - first).days >= DAYS_MAX:
        problems.append(("from", f"At most {DAYS_MAX} days are shown at once."))
        first = last - timedelta(days=DAYS_MAX - 1)
    key, model = _key(given.get("key", "")), given.get("model", "")
    if given.get("key") and key is None:
        problems.append(("key", "There is no such key."))
    if len(model) > MODEL_CHARS_MAX:
        problems.append(("model", "There is no such model."))
        model = ""
    cursor = _cursor(given.get("after", ""))
    if given.get("after") and cursor is None:
        problems.append(("after", "That page does not exist; this is the first one."))
    return Asked(UsageFilter(first, last, model, key), cursor, tuple(problems))


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    # The form alone would let days pass that have no day before or after them.
    return found if found is not None and 2000 <= found.year <= 9000 else None


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _cursor(text: str) -> Cursor | None:
    match = _CURSOR.fullmatch(text)
    key = _key(match[2]) if match else None
    if match is None or key is None:
        return None
    try:
        return Cursor(datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), key)
    except ValueError:
        return None
