"""Declares every mail that may be sent: what it is for, and the only values that it may hold."""

from dataclasses import dataclass
from typing import Literal

MailValueKind = Literal["money", "date", "moment", "count", "word", "page", "right", "version"]


@dataclass(frozen=True, slots=True)
class MailValue:
    """One value. No kind can carry free text: a `word` is `[A-Za-z0-9_.:/-]`, 1 to 80 long.

    `choices` are the only values of a `right`, each with the words for it.
    """

    name: str
    kind: MailValueKind
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """One kind of mail. `purpose` is the one for which the address is read when it is sent."""

    name: str
    policy_path: str
    purpose: str
    values: tuple[MailValue, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """Every kind of mail, and the field that holds the address."""

    record: str
    address: str
    templates: tuple[MailTemplate, ...]

    def template(self, name: str) -> MailTemplate:
        """The template of that name. Raises KeyError when it is not declared."""
        for template in self.templates:
            if template.name == name:
                return template
        raise KeyError(name)
