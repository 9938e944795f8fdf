"""Says which parts of policy.yaml a sentence of prose speaks of. Rules of words: plain, few, and able to say no.

A rule binds a sentence to a part, with the value that it states where it states one. What no rule takes stays unbound,
with a reason where one is known: nothing is guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crouter.generate.drafting.prose import Sentence
from crouter.generate.drafting.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Binding:
    """A part that a sentence speaks of; `value` is what it states, empty where it only speaks of it."""

    part: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a sentence, and what of it was not."""

    sentence: Sentence
    bindings: tuple[Binding, ...]
    reasons: tuple[str, ...]

    @property
    def is_bound(self) -> bool:
        """Whether any part of policy.yaml says this."""
        return bool(self.bindings)


# The patterns look at a sentence, not at a page without a full stop.
_READ_MAX: Final = 2000
_NUMBERS: Final = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("fourteen", "thirty", "sixty", "ninety"),
)
_WORTH: Final = {**{word: number for number, word in enumerate(_NUMBERS[:12], 1)}, "a": 1}
_LARGE: Final = {"fourteen": 14, "thirty": 30, "sixty": 60, "ninety": 90}
_UNITS: Final = {"hour": "PT{}H", "day": "P{}D", "week": "P{}W", "month": "P{}M", "year": "P{}Y"}
_PERIOD = re.compile(
    rf"\b(\d{{1,3}}|a|{'|'.join(_NUMBERS)})(?:\s*\(\d{{1,3}}\))?[\s-](hour|day|week|month|year)s?\b", re.I
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,20}\b")
_URL = re.compile(r"https://[a-z0-9.-]{1,200}")
_DAY = re.compile(
    r"\b([A-Z][a-z]{2,8})\.? (\d{1,2}),? (\d{4})\b|\b(\d{1,2}) ([A-Z][a-z]{2,8}) (\d{4})\b|\b(\d{4}-\d\d-\d\d)\b"
)
_NOT = r"\b(?:do not|don[’']t|does not|never|will not|won[’']t|are not|is not|neither|no)\b"

# Which words lead to which part: all patterns of a row have to be found.
_TALK: Final = (
    ("data.account", r"\b(collect|ask for|receive|store|provide)", r"\b(e-?mail|name|account)\b"),
    ("data.usage", r"\b(collect|log|record|store|track|measure)", r"\b(usage|tokens?|request counts?)\b"),
    ("data.ledger", r"\b(balance|credits?|top[- ]?ups?|prepaid)\b"),
    ("data.api_key", r"\bapi keys?\b"),
    (
        "never.content",
        _NOT,
        r"\b(stor|log|retain|keep|kept|sav|train)",
        r"\b(content|prompts?|outputs?|completions?|conversations?|messages?)\b",
    ),
    ("never.sale", _NOT, r"\b(sell|sold|rent)"),
    ("cookies", r"\bcookies?\b", r"\b(essential|necessary|session|sign(?:ed)?[- ]in|log(?:ged)?[- ]in|authenticat)"),
    ("rights.access", r"\b(access|copy|export|download)\b", r"\b(your|personal) (data|information)\b"),
    ("rights.rectification", r"\b(correct|rectif|update|amend)\w*", r"\b(your|personal|inaccurate)\b"),
    ("rights.erasure", r"\b(delet|eras)\w*", r"\b(account|your data|personal data|your information)\b"),
    ("rights.portability", r"\b(portab|machine[- ]readable)"),
    ("rights.restriction", r"\brestrict\w* (the |our |how )?(processing|use)"),
    ("rights.objection", r"\bobject to\b"),
    ("security.https", r"\b(https|tls|ssl|encrypt\w+ in transit)\b"),
    ("security.keys", r"\bencrypt", r"\b(keys?|at rest|credentials)\b"),
    (
        "policy.changes",
        r"\b(update|change|modify|amend|revise)s?\b",
        r"\b(this|the|our) (privacy )?(policy|notice|statement)\b",
    ),
    ("controller.contact", r"\bcontact (us|our)\b"),
    ("purposes.service_updates", r"\b(use|send)\b", r"\b(updates|notices|notifications)\b"),
    ("purposes.billing", r"\bfor billing\b|\bbill you\b"),
    ("purposes.rate_limiting", r"\brate[- ]limit"),
    ("controller.office", r"\b(remote|no (physical )?office)\b"),
)
# What the language has no part for, or what a draft cannot decide.
_REASONS: Final = (
    (r"\b(child|children|minors?|under (13|16|18))\b", "the draft has no part about children"),
    (
        r"\b(standard contractual|adequacy|third countr|outside the (EU|EEA|UK)|international transfer)",
        "the draft has no part about transfers to other countries",
    ),
    (r"\bdata protection officer\b", "the draft has no part about a data protection officer"),
    (r"\b(supervisory authority|complain)", "the draft has no part about complaints"),
    (r"\b(automated|profiling)\b", "the draft has no part about automated decisions"),
    (r"\b(legitimate interests?|legal basis|legal bases)\b", "legal bases stand with each purpose: decide there"),
    (r"\b(backups?)\b", "the draft has no part about backups"),
    (
        r"(?<!you )\b(may|might|could|some|sometimes|often|generally|typically)\b",
        "it says what may be, which cannot be enforced",
    ),
)


def read(sentence: Sentence) -> Reading:
    """What a sentence says, as parts of policy.yaml."""
    text = sentence.text[:_READ_MAX]
    words = _URL.sub(" ", text)
    bindings: list[Binding] = [*_parties(text), *_periods(text), *_contacts(text), *_dates(text), *_changes(text)]
    for part, *patterns in _TALK:
        if all(re.search(pattern, words, re.I) for pattern in patterns) and not any(b.part == part for b in bindings):
            bindings.append(Binding(part))
    reasons = [reason for pattern, reason in _REASONS if re.search(pattern, text, re.I)]
    named = [vendor.label for vendor in VENDORS if vendor.role == "named" and vendor.is_named_in(text)]
    reasons += [f"{label} is named: say under processors what it receives" for label in named]
    if _PERIOD.search(text) and not any(b.value.startswith("P") for b in bindings):
        reasons.append("it names a period, and not of what the draft knows")
    return Reading(sentence, tuple(dict.fromkeys(bindings)), tuple(reasons))


def _parties(text: str) -> Iterator[Binding]:
    for vendor in VENDORS:
        if vendor.role != "named" and vendor.is_named_in(text):
            yield Binding(f"processors.{vendor.name}", vendor.label)


def _periods(text: str) -> Iterator[Binding]:
    match = _PERIOD.search(text)
    if match is None:
        if re.search(r"\b(as long as|while|until)\b.*\baccount\b", text, re.I):
            yield Binding("retention.account", "while_active")
        return
    word = match[1].lower()
    number = int(word) if word.isdigit() else _WORTH.get(word) or _LARGE.get(word, 0)
    period = _UNITS[match[2].lower()].format(number)
    if number == 0 or re.search(r"\bbackup", text, re.I):
        return
    if re.search(r"\b(respond|answer|reply|within .* of (your|a|the) request)", text, re.I):
        yield Binding("requests.deadline", period)
    elif re.search(r"\b(delet|eras|remov|clos)\w*", text, re.I) and re.search(r"\baccount\b|\brequest", text, re.I):
        yield Binding("retention.deletion.within", period)
    elif re.search(r"\b(retain|keep|kept|store|hold)", text, re.I) and re.search(
        r"\b(usage|logs?|billing|tokens?|requests?)\b", text, re.I
    ):
        yield Binding("retention.usage.keep", period)


def _contacts(text: str) -> Iterator[Binding]:
    if match := _EMAIL.search(text):
        yield Binding("controller.contact", match[0])
    if match := _URL.search(text):
        yield Binding("service.url", match[0].rstrip("."))


def _dates(text: str) -> Iterator[Binding]:
    match = _DAY.search(text)
    if match is None or not re.search(
        r"\b(effective|in effect|last (updated|modified|revised)|in force)\b", text, re.I
    ):
        return
    words = match[7] or " ".join(part for part in match.groups()[:6] if part)
    for form in ("%Y-%m-%d", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y"):
        try:
            yield Binding("policy.effective", datetime.strptime(words, form).date().isoformat())
        except ValueError:
            continue
        return


def _changes(text: str) -> Iterator[Binding]:
    if re.search(r"\bchang|\bupdat", text, re.I) and re.search(r"\b(by|via|an|send you) e-?mail\b", text, re.I):
        yield Binding("policy.changes.announced_by", "email")
    if re.search(r"\bcontinued use\b|\bcontinu\w+ to use\b", text, re.I):
        yield Binding("policy.changes.acceptance", "continued_use")
