"""Values as words of a language: periods, days, lists, names of things. English is `words.py`.

For a claim's own words only; the sentences that the library composes say each value in their own way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import BaseModel

from crouter.plan import words
from crouter.policy.model import Policy
from crouter.policy.problems import Path
from crouter.policy.types import Duration, Locale


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes values. Units are singular, plural and, where it differs, plural in the dative."""

    units: Mapping[str, tuple[str, str, str]]
    months: tuple[str, ...]
    joining: str
    day: str
    known: Mapping[str, str]
    """The words for what policy.yaml writes as a name."""


_GERMAN: Final = Language(
    units={
        "Y": ("Jahr", "Jahre", "Jahren"),
        "M": ("Monat", "Monate", "Monaten"),
        "W": ("Woche", "Wochen", "Wochen"),
        "D": ("Tag", "Tage", "Tagen"),
        "h": ("Stunde", "Stunden", "Stunden"),
        "m": ("Minute", "Minuten", "Minuten"),
        "s": ("Sekunde", "Sekunden", "Sekunden"),
    },
    months=(
        "Januar", "Februar", "März", "April", "Mai", "Juni",
        "Juli", "August", "September", "Oktober", "November", "Dezember",
    ),
    joining="und",
    day="{day}. {month} {year}",
    known={"while_active": "solange das Konto besteht", "none": "keine", "session": "bis zum Ende der Sitzung"},
)  # fmt: skip
_FRENCH: Final = Language(
    units={
        "Y": ("an", "ans", "ans"),
        "M": ("mois", "mois", "mois"),
        "W": ("semaine", "semaines", "semaines"),
        "D": ("jour", "jours", "jours"),
        "h": ("heure", "heures", "heures"),
        "m": ("minute", "minutes", "minutes"),
        "s": ("seconde", "secondes", "secondes"),
    },
    months=(
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    joining="et",
    day="{day} {month} {year}",
    known={"while_active": "tant que le compte est actif", "none": "aucune", "session": "la durée de la session"},
)  # fmt: skip
_ENGLISH_KNOWN: Final = {
    "while_active": "as long as your account is active",
    "none": "none",
    "session": "until the browser is closed",
    "email": "by email",
    "website": "on our website",
}


def value_words(policy: Policy, path: Path, value: object, locale: Locale, form: str = "") -> str:
    """A value in words: a period, a day, a list, the label of what has one, or the text as it stands.

    `form` is empty or `dative`. Names that the policy declares elsewhere (purposes, data, processors) become their
    labels.
    """
    language = {"de": _GERMAN, "fr": _FRENCH}.get(locale)
    if isinstance(value, Duration):
        return _period(value, language, form)
    if isinstance(value, date):
        return day_words(value, locale)
    if isinstance(value, tuple | Mapping):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        inner = [value_words(policy, (*path, key), item, locale, form) for key, item in items]
        return words.joined(list(dict.fromkeys(inner)) or ["–"], language.joining if language else "and")
    if isinstance(value, BaseModel):
        label = getattr(value, "label", None)
        return str(label) if label is not None else str(path[-1])
    if isinstance(value, str):
        known = language.known if language else _ENGLISH_KNOWN
        return _label(policy, path, value) or known.get(value, value)
    return str(value)


def day_words(day: date, locale: Locale) -> str:
    """A day as people of a language write it."""
    language = {"de": _GERMAN, "fr": _FRENCH}.get(locale)
    if language is None:
        return words.date_words(day)
    return language.day.format(day=day.day, month=language.months[day.month - 1], year=day.year)


def _period(duration: Duration, language: Language | None, form: str) -> str:
    if language is None:
        return words.duration_words(duration)
    days, _, time = duration.text.removeprefix("P").partition("T")
    parts = [*re.findall(r"(\d+)([YMWD])", days), *((n, unit.lower()) for n, unit in re.findall(r"(\d+)([HMS])", time))]
    said = []
    for number, unit in parts:
        one, several, dative = language.units[unit]
        if int(number):
            said.append(f"{int(number)} {one if int(number) == 1 else dative if form == 'dative' else several}")
    return words.joined(said, language.joining)


def _label(policy: Policy, path: Path, value: str) -> str | None:
    """The label of a thing that the value names."""
    if {"purposes", "purpose"} & set(map(str, path[1:])) and value in policy.purposes:
        return policy.purposes[value].label
    if path[0] == "retention" and "of" in path and value in policy.data:
        return policy.data[value].label
    if path[-1] in ("passes_through_to", "processor", "upstream") and value in policy.processors:
        return policy.processors[value].label
    return None
