"""What an unquoted scalar means: true or false, a whole number, a day, or text - and which ones mean nothing for sure.

YAML 1.1 and 1.2 readers disagree about `no`, `0123`, `1e3` and others. Those are refused: the author quotes them, and
then every reader sees the same text.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeAlias

from crouter.policy.problems import shown

Scalar: TypeAlias = str | int | bool | date | None

_DIGITS_MAX = 15
# Longer texts are no word and no number that a reader could take for another.
_SURPRISE_LENGTH_MAX = 80

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_YES_NO = frozenset({"y", "yes", "on", "true", "n", "no", "off", "false"})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# What else some reader takes for more than text, and what it takes it for.
_SURPRISES = (
    (r"y|yes|on|true|n|no|off|false", "true or false to some YAML readers and text to others"),
    (r"=", "a default value to some YAML readers and text to others"),
    (
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t][-+0-9:.Zz \t]*)?",
        "a time to some YAML readers and text to others",
    ),
    (
        r"[-+]?[0-9][0-9_]*(:[0-9]{1,2})+(\.[0-9_]*)?",
        "a number of base 60 to some YAML readers and text to others",
    ),
    (
        r"[-+]?0([0-9_]+|o[0-7_]*|x[0-9a-f_]*|b[01_]*)",
        "a number of another base to some YAML readers, and text or a decimal number to others",
    ),
    (
        r"[-+]?(\.(inf|nan)|(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)(e[-+]?[0-9]+)?)",
        "a number other than a plain whole one, and no key takes it",
    ),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an unquoted scalar is refused."""

    code: str
    sentence: str
    hint: str


@lru_cache(maxsize=4096)
def read_plain(text: str) -> tuple[Scalar, Refusal | None]:
    """The value of an unquoted scalar, and why it is refused if it is. A refused one keeps its text as value."""
    if text in _NOTHING:
        return None, Refusal("PY-17", "there is no value here", "give a value, or leave the key out")
    if text in ("true", "false"):
        return text == "true", None
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _DAY.fullmatch(text):
        return _day(text)
    if len(text) <= _SURPRISE_LENGTH_MAX and (reading := _surprising_reading(text)):
        hint = f'quote it: "{text}"'
        if text.lower() in _YES_NO:
            hint += ", or write true or false"
        return text, Refusal("PY-18", f"{shown(text, 'this')} is {reading}", hint)
    return text, None


def _integer(text: str) -> tuple[Scalar, Refusal | None]:
    digits = text.removeprefix("-")
    if len(digits) > _DIGITS_MAX:
        sentence = f"the number has {len(digits)} digits, more than {_DIGITS_MAX}"
        return 0, Refusal("PY-19", sentence, "quote it if it is text, and use a smaller one if it is a number")
    if text == "-0":
        return 0, Refusal("PY-18", "`-0` is a number to some YAML readers and text to others", "write 0")
    return int(text), None


def _day(text: str) -> tuple[Scalar, Refusal | None]:
    try:
        return date.fromisoformat(text), None
    except ValueError:
        return text, Refusal("PY-20", f"the calendar has no day `{text}`", "write a day as year-month-day: 2025-01-31")


def _surprising_reading(text: str) -> str | None:
    """How some YAML reader understands a text that another takes as it stands."""
    for pattern, reading in _SURPRISES:
        if re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE):
            return reading
    return None
