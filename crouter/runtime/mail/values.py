"""The values of a mail, as the outbox keeps them: words by name, none of which can hold free text.

Decides nothing about how they are shown: `rendering.py` does.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from crouter.contract.mail import MailTemplate, MailValue, MailValueKind

_WORD: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")
_PAGE: Final = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+|/")
_PAGE_CHARS_MAX: Final = 200


class MailRefusedError(Exception):
    """A mail that is not declared, or with other values than are declared. Names them, never what they hold."""


def encoded(template: MailTemplate, values: Mapping[str, object]) -> dict[str, str]:
    """`values` as words, exactly those that the template declares. Raises MailRefusedError.

    Of Python's types `money` (1e-9 US dollars) and `count` take an int, `date` a date, `moment` a datetime with a time
    zone, and the others a str.
    """
    declared = {value.name for value in template.values}
    if undeclared := sorted(values.keys() - declared):
        raise MailRefusedError(f"mail.{template.name} has no value {undeclared[0]}")
    if missing := sorted(declared - values.keys()):
        raise MailRefusedError(f"mail.{template.name} needs the value {missing[0]}")
    return {value.name: _encoded(template, value, values[value.name]) for value in template.values}


def decoded(template: MailTemplate, words: Mapping[str, str]) -> dict[str, Any]:
    """The values that were encoded. Raises MailRefusedError for words of another policy's template."""
    if words.keys() != {value.name for value in template.values}:
        raise MailRefusedError(f"mail.{template.name} has other values by now")
    try:
        return {value.name: _DECODE[value.kind](words[value.name]) for value in template.values}
    except ValueError:
        raise MailRefusedError(f"mail.{template.name} has values of other types by now") from None


def _encoded(template: MailTemplate, declared: MailValue, value: object) -> str:
    word = _ENCODE[declared.kind](value)
    if word is None or (declared.kind == "right" and word not in dict(declared.choices)):
        raise MailRefusedError(f"mail.{template.name}: the value {declared.name} is not a {declared.kind}")
    return word


def _number(value: object) -> str | None:
    return str(value) if type(value) is int else None


def _count(value: object) -> str | None:
    return str(value) if type(value) is int and value >= 0 else None


def _date(value: object) -> str | None:
    return value.isoformat() if type(value) is date else None


def _moment(value: object) -> str | None:
    is_one = isinstance(value, datetime) and value.tzinfo is not None
    return value.astimezone(UTC).isoformat() if is_one and isinstance(value, datetime) else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _page(value: object) -> str | None:
    fits = isinstance(value, str) and len(value) <= _PAGE_CHARS_MAX and _PAGE.fullmatch(value)
    return value if fits and isinstance(value, str) else None


_ENCODE: Final[Mapping[MailValueKind, Callable[[object], str | None]]] = {
    "money": _number,
    "date": _date,
    "moment": _moment,
    "count": _count,
    "word": _word,
    "page": _page,
    "right": _word,
    "version": _word,
}
_DECODE: Final[Mapping[MailValueKind, Callable[[str], object]]] = {
    "money": int,
    "date": date.fromisoformat,
    "moment": datetime.fromisoformat,
    "count": int,
    "word": str,
    "page": str,
    "right": str,
    "version": str,
}
