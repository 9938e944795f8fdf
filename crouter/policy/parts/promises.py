"""What is promised: `retention`, `security`, `rights`, `requests`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Discriminator, Tag
from pydantic import Field as Setting

from crouter.policy.parts.base import Part
from crouter.policy.types import Duration, FieldPath, Identifier, Text


class KeepWhileActive(Part):
    """Kept as long as the account is active: no job touches it."""

    of: tuple[Identifier, ...] = Setting(min_length=1)
    """The categories that the rule is about."""
    keep: Literal["while_active"]
    """As long as the account is active."""


class KeepFor(Part):
    """Kept for a period that begins with a field of the row, then deleted."""

    of: tuple[Identifier, ...] = Setting(min_length=1)
    """The categories that the rule is about."""
    keep: Duration
    """How long; months are calendar months in UTC."""
    from_: Identifier = Setting(alias="from")
    """The timestamp at which the period begins."""
    every: Duration
    """How often the job runs."""
    lag_max: Duration
    """The longest the job may be late before an alert is raised."""
    partitions: Duration | None = None
    """The width of the tables' partitions, such as P1D: what is all past goes with its partition, not row by row."""


class LegalException(Part):
    """What the law requires to keep after a deletion (GDPR Article 17(3)(b))."""

    of: Identifier
    """The category whose entries have to be kept."""
    kinds: tuple[Identifier, ...] = ()
    """The kinds of entry it is limited to; all when empty."""
    law: Text
    """The law that requires it, as the policy names it."""
    keep: Duration
    """How long the law requires it."""


class DeleteAfter(Part):
    """Personal data is gone within a period after an event."""

    of: tuple[Identifier, ...] = Setting(min_length=1)
    """The categories whose rows are deleted."""
    event: FieldPath
    """The timestamp that starts the clock."""
    within: Duration
    """The latest moment at which everything is gone, counted from the event."""
    grace: Duration
    """How long the deletion can be taken back."""
    every: Duration
    """How often the job runs."""
    lag_max: Duration
    """The longest the job may be late before an alert is raised."""
    exceptions: tuple[LegalException, ...] = ()
    """What the law requires to keep all the same."""


def _kind_of_rule(value: object) -> str:
    if isinstance(value, dict):
        if "event" in value or "within" in value:
            return "deletion"
        return "while_active" if value.get("keep") == "while_active" else "period"
    return {KeepWhileActive: "while_active", KeepFor: "period"}.get(type(value), "deletion")  # type: ignore[call-overload, no-any-return]


Retention = Annotated[
    Annotated[KeepWhileActive, Tag("while_active")]
    | Annotated[KeepFor, Tag("period")]
    | Annotated[DeleteAfter, Tag("deletion")],
    Discriminator(_kind_of_rule),
]
"""One retention rule: kept while the account is active, kept for a period, or deleted after an event."""


class KeySecurity(Part):
    """How API keys are kept."""

    encryption: Literal["AES-256-GCM"]
    """The cipher that seals a key for storage."""
    lookup: Literal["HMAC-SHA-256"]
    """The keyed hash that finds a key without decrypting any."""
    active_max: Annotated[int, Setting(ge=1, le=100)] = 1
    """How many keys of an account may be active at once."""
    rotation_grace: Duration | None = None
    """How long a key that was rotated goes on working beside the new one; not at all when it is not given."""


class TransportSecurity(Part):
    """How communication is encrypted."""

    minimum_tls: Literal["1.2", "1.3"]
    """The oldest version of TLS that is accepted."""
    hsts: Duration
    """How long a browser remembers to use HTTPS only (RFC 6797)."""
    plain_http: Literal["refuse", "redirect"]
    """What happens to a request without encryption."""


class EdgeSecurity(Part):
    """What stands in front of the service."""

    processor: Identifier
    """The processor that runs it."""
    runtime: Text
    """The product that runs it, as the policy names it."""
    compatibility_date: date
    """The Worker runtime's behaviour is held at this day."""


class Security(Part):
    """Technical measures (GDPR Article 32)."""

    keys: KeySecurity
    """How API keys are kept."""
    https: TransportSecurity
    """How communication is encrypted."""
    edge: EdgeSecurity | None = None
    """What stands in front of the service, if anything does."""


class Right(Part):
    """A right of the person (GDPR Articles 15 to 22)."""

    label: Text
    """The words of the policy, as in "a copy of your data"."""
    article: Annotated[int, Setting(ge=12, le=22)]
    """The article of the GDPR that grants it."""
    formats: tuple[Literal["json", "csv", "html"], ...] = ()
    """The formats in which a copy is given."""
    by: Identifier | None = None
    """The retention rule that carries it out."""
    fields: tuple[FieldPath, ...] = ()
    """The fields it is about."""


class Requests(Part):
    """How a person exercises a right."""

    channel: Literal["contact"]
    """How to ask: by a message to `controller.contact`."""
    deadline: Duration
    """The latest moment for an answer."""
