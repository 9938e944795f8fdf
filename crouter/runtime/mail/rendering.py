"""Puts a mail together: its sentences, once as plain text and once as HTML, and the words for its values.

Both come from one template, so that they cannot say different things. The HTML has no image, no script, no style sheet
and no link but to our own pages. Does no I/O but reading templates and the published versions of the policy.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crouter.contract.deployment import Deployment
from crouter.contract.mail import MailTemplate, MailValue
from crouter.runtime.mail.values import MailRefusedError, decoded
from crouter.runtime.money import dollars
from crouter.runtime.policy_history import Version, read_policy_history

FOLDER: Final = Path(__file__).parent / "templates"
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """What a person reads."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Sender:
    """What every mail says about who sends it and why. `url` has no slash at its end."""

    name: str
    url: str
    contact: str
    purpose: str


class Rendering:
    """Renders the declared mails of one deployment; `generated` holds the versions of its policy."""

    def __init__(self, deployment: Deployment, generated: Path) -> None:
        self._deployment = deployment
        self._generated = generated
        self._labels = {purpose.name: purpose.label for purpose in deployment.purposes}
        self._plain, self._html = _environment(html=False), _environment(html=True)

    def render(self, template: str, words: Mapping[str, str]) -> RenderedMail:
        """The mail. `words` are its values as the outbox keeps them.

        Raises MailRefusedError for one that is not declared, and Jinja's errors for a template that is wrong.
        """
        declared = self._declared(template)
        identity = self._deployment.identity
        values = decoded(declared, words)
        shown = {value.name: self._shown(declared, value, values[value.name]) for value in declared.values}
        names = {
            "sender": Sender(identity.name, identity.url.rstrip("/"), identity.contact, self._labels[declared.purpose]),
            **shown,
        }
        file = f"{template}.jinja"
        plain = self._plain.get_template(file)
        subject = "".join(plain.blocks["subject"](plain.new_context({**names, "form": "txt"})))
        return RenderedMail(
            subject=" ".join(subject.split()),
            text=_spaced(plain.render(names, form="txt")),
            html=self._html.get_template(file).render(names, form="html"),
        )

    def _declared(self, template: str) -> MailTemplate:
        try:
            if self._deployment.mail is not None:
                return self._deployment.mail.template(template)
        except KeyError:
            pass
        raise MailRefusedError("the policy declares no such mail")

    def _shown(self, template: MailTemplate, declared: MailValue, value: Any) -> object:
        if declared.kind == "page":
            return f"{self._deployment.identity.url.rstrip('/')}{value}"
        if declared.kind == "right":
            return dict(declared.choices).get(value, value)
        if declared.kind == "version":
            return self._version(template, value)
        words = _WORDS.get(declared.kind)
        return words(value) if words is not None else value

    def _version(self, template: MailTemplate, name: str) -> Version:
        for version in read_policy_history(self._generated):
            if version.name == name:
                return version
        raise MailRefusedError(f"mail.{template.name}: there is no such version of the policy here")


def date_words(day: date) -> str:
    """The day as the policy writes it: January 5, 2025."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def moment_words(moment: datetime) -> str:
    """The moment to the minute, in UTC: January 5, 2025, 14:05 UTC."""
    at = moment.astimezone(UTC)
    return f"{date_words(at.date())}, {at:%H:%M} UTC"


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {"money": dollars, "date": date_words, "moment": moment_words}


def _spaced(text: str) -> str:
    """One empty line between paragraphs, whatever a template leaves behind."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _environment(*, html: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=html,  # noqa: S701  plain text shows no markup, and is not read as any
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
