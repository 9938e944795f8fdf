"""What a first policy is written from: answers with defaults, each checked as the language checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from crouter.generate.drafting.vendors import ANTHROPIC, Vendor
from crouter.policy.types import Duration, Email, HttpsUrl, Text

RIGHTS: Final = {
    "access": ("a copy of your data", 15),
    "rectification": ("an update of your information", 16),
    "erasure": ("deletion of your account", 17),
    "restriction": ("a limit on how we use your data", 18),
    "portability": ("your data in a format that machines read", 20),
    "objection": ("an end to a use that you object to", 21),
}
"""The rights a draft can say: name to words and article of the GDPR."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers. Periods are ISO 8601; `office` is a postal address or `none`."""

    name: str
    url: str
    contact: str
    controller: str
    effective: date
    office: str = "none"
    description: str = "an API for Claude models with a prepaid balance"
    upstream: Vendor = ANTHROPIC
    vendors: tuple[Vendor, ...] = ()
    usage_keep: str = "P12M"
    deletion_within: str = "P30D"
    deadline: str = "P30D"
    announced_by: str = "email"
    acceptance: str = "continued_use"
    rights: tuple[str, ...] = ("access", "rectification", "erasure")
    notes: tuple[str, ...] = field(default=())
    """Lines of comment at the top of the file."""


def with_words(answers: Answers, words: Mapping[str, str]) -> Answers:
    """The answers with some that are words replaced: name of the answer to what it is now."""
    changes: dict[str, Any] = dict(words)
    return replace(answers, **changes)


_TYPES: Final[dict[str, Any]] = {
    "name": Text,
    "url": HttpsUrl,
    "contact": Email,
    "controller": Text,
    "office": Text,
    "description": Text,
}
_PERIODS: Final = ("usage_keep", "deletion_within", "deadline")


def unfit(answers: Answers) -> dict[str, str]:
    """The answers that the language does not take, and what each has to be."""
    wrong = {}
    for name, kind in _TYPES.items():
        try:
            TypeAdapter(kind).validate_python(getattr(answers, name))
        except ValidationError:
            wrong[name] = f"has to be {kind.__metadata__[0].words}"
    for name in _PERIODS:
        try:
            Duration.parse(getattr(answers, name))
        except ValueError as error:
            wrong[name] = str(error)
    return wrong
