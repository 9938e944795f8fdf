"""English for values: lists, durations, dates, counts. Plain strings; where a value comes from is `phrases.py`."""

import re
from collections.abc import Sequence
from datetime import date

from crouter.policy.types import Duration

_DATE_UNITS = (("Y", "year"), ("M", "month"), ("W", "week"), ("D", "day"))
_TIME_UNITS = (("H", "hour"), ("M", "minute"), ("S", "second"))
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DETERMINERS = ("a", "an", "any", "each", "every", "his", "its", "my", "our", "that", "the", "their", "this", "your")


def separators(items: Sequence[str], word: str = "and") -> tuple[str, ...]:
    """What stands between the items of a list, so that it reads without doubt where each one ends.

    "a and b"; "a, b and c"; "a, b and c, and d" where an item holds the joining word; semicolons where one holds a
    comma. One fewer than the items.
    """
    if len(items) < 2:
        return ()
    if any("," in item or ";" in item for item in items):
        inner, last = "; ", f"; {word} "
    elif any(re.search(r"\b(and|or)\b", item) for item in items):
        inner, last = ", ", f", {word} "
    else:
        inner, last = ", ", f" {word} "
    return (inner,) * (len(items) - 2) + (last,)


def joined(items: Sequence[str], word: str = "and") -> str:
    """The items as one list in words. There is at least one."""
    assert items, "a list in words has an item"
    between = separators(items, word)
    return items[0] + "".join(mark + item for mark, item in zip(between, items[1:], strict=True))


def counted(number: int, unit: str) -> str:
    """`1 day`, `30 days`. The unit has a regular plural."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def duration_words(duration: Duration) -> str:
    """`P1Y6M` as "1 year and 6 months". Units stay as they are written: twelve months is not one year."""
    return joined([counted(number, unit) for number, unit in _written(duration)])


def frequency_words(duration: Duration) -> str:
    """`PT1H` as "every hour", `P2D` as "every 2 days"."""
    written = _written(duration)
    if len(written) == 1 and written[0][0] == 1:
        return f"every {written[0][1]}"
    return f"every {duration_words(duration)}"


def date_words(day: date) -> str:
    """`January 5, 2025`, whatever the machine's locale."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def identifier_words(identifier: str) -> str:
    """`top_up` as "top up"."""
    return identifier.replace("_", " ")


def has_determiner(text: str) -> bool:
    """Whether the words begin with "the", "your" or their like, so that none has to be put before them."""
    first, _, rest = text.partition(" ")
    return bool(rest) and first.lower() in _DETERMINERS


def capitalised(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _written(duration: Duration) -> list[tuple[int, str]]:
    days, _, time = duration.text.removeprefix("P").partition("T")
    written = [
        (int(number), unit)
        for part, units in ((days, _DATE_UNITS), (time, _TIME_UNITS))
        for letter, unit in units
        for number in re.findall(rf"(\d+){letter}", part)
    ]
    return [(number, unit) for number, unit in written if number]
