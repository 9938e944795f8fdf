"""The forms that values of policy.yaml can have: what each takes, an example, and the words for it.

Which value has which form is in `language.py`.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from crouter.policy.hints import listed
from crouter.policy.types import Shape


@dataclass(frozen=True, slots=True)
class Words:
    """A text of a certain shape."""

    shape: Shape

    @property
    def wanted(self) -> str:
        """Completes "must be …"; so in all forms."""
        return self.shape.words

    @property
    def example(self) -> str:
        """A value as one writes it in YAML, empty if that takes many lines; so in all forms."""
        return self.shape.example

    def is_kind_of(self, value: object) -> bool:
        """Whether the value is of the right kind, whatever it says; so in all forms."""
        return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number; None is no bound."""

    minimum: int | None
    maximum: int | None

    @property
    def wanted(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"a whole number from {self.minimum} to {self.maximum}"
        return "a whole number" if self.minimum is None else f"a whole number of {self.minimum} or more"

    @property
    def example(self) -> str:
        return str(self.minimum or 1)

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day."""

    wanted = "a day, written year-month-day"
    example = "2025-01-31"

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, date)


@dataclass(frozen=True, slots=True)
class YesNo:
    """True or false."""

    wanted = "true or false"
    example = "true"

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values."""

    values: tuple[str | int, ...]

    @property
    def wanted(self) -> str:
        return f"one of {listed(self.values)}" if len(self.values) > 1 else str(self.values[0])

    @property
    def example(self) -> str:
        value = self.values[0]
        # "1.2" and its like would not be text without quotes.
        return f'"{value}"' if isinstance(value, str) and value[:1].isdigit() else str(value)

    def is_kind_of(self, value: object) -> bool:
        return type(value) in {type(one) for one in self.values}


@dataclass(frozen=True, slots=True)
class Either:
    """What one of several forms describes, none of them a mapping."""

    forms: "tuple[Form, ...]"

    @property
    def wanted(self) -> str:
        return ", or ".join(form.wanted for form in self.forms)

    @property
    def example(self) -> str:
        return self.forms[0].example

    def is_kind_of(self, value: object) -> bool:
        return any(form.is_kind_of(value) for form in self.forms)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    item: "Form"
    may_be_empty: bool
    wanted = "a list"

    @property
    def example(self) -> str:
        return f"[{self.item.example}]" if self.item.example else ""

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, tuple)


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names of the author's choice."""

    key: Shape
    value: "Form"
    may_be_empty: bool
    wanted = "a mapping"
    example = ""

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, dict)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a part. `words` say what it means."""

    name: str
    form: "Form"
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class PartForm:
    """A mapping with the keys of one pydantic model."""

    name: str
    words: str
    keys: Mapping[str, Key] = field(hash=False)
    wanted = "a mapping"
    example = ""

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, dict)


@dataclass(frozen=True, slots=True)
class OneKindOf:
    """A part of one of several kinds; `kind_of` tells a value's kind by its keys."""

    kinds: Mapping[Hashable, PartForm] = field(hash=False)
    kind_of: Callable[[object], Hashable]
    wanted = "a mapping"
    example = ""

    def is_kind_of(self, value: object) -> bool:
        return isinstance(value, dict)


Form: TypeAlias = Words | Number | Day | YesNo | Choice | Either | ListOf | MapOf | PartForm | OneKindOf
