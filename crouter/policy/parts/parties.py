"""Who is answerable and who else receives data: `service`, `controller`, `policy`, `processors`."""

from datetime import date
from typing import Literal

from pydantic import Field as Setting

from crouter.policy.parts.base import Part
from crouter.policy.types import Duration, Email, FieldPath, Host, HttpsUrl, Identifier, Locale, Text


class Service(Part):
    """The service that the policy is about."""

    name: Text
    """What the service calls itself, here and in every document."""
    url: HttpsUrl
    """Where the service is found."""
    description: Text
    """What the service is, as in "Crouter is …"."""


class Controller(Part):
    """Who decides why and how data is processed (GDPR Article 4(7), 13(1)(a))."""

    name: Text
    """The person or organisation that decides."""
    contact: Email
    """Where privacy questions and requests go."""
    office: Text
    """The postal address, or `none` for a fully remote, online service."""


class Changes(Part):
    """How the policy changes."""

    announced_by: Literal["email", "website"]
    """How customers learn of a significant change before it takes effect."""
    significant: tuple[
        Literal[
            "new_data",
            "new_purpose",
            "new_recipient",
            "longer_retention",
            "weaker_promise",
        ],
        ...,
    ] = Setting(min_length=1)
    """What makes a change significant, so that it has to be announced."""
    acceptance: Literal["continued_use", "explicit_consent"]
    """What makes a changed policy binding for a customer."""


class Translation(Part):
    """What stands at the head of the document in a further language."""

    title: Text
    """The heading of the document."""
    description: Text
    """What the service is, as in "Crouter is …"."""


class PolicyDates(Part):
    """The document itself."""

    title: Text
    """The heading of the document."""
    version: Text
    """The version people see, as text: quote it."""
    effective: date
    """The day from which this version is in force."""
    locale: Literal["en"]
    """The language that the library composes the document in."""
    locales: dict[Locale, Translation] = Setting(default_factory=dict)
    """Further languages of the document: every claim then has `words` in them, and every section a title."""
    profiles: tuple[Literal["gdpr", "uk", "ccpa"], ...] = Setting(min_length=1)
    """The laws whose completeness rules apply."""
    changes: Changes
    """How the policy changes."""


class Keeps(Part):
    """How long a processor keeps what it received, as it says itself."""

    for_: Duration | Literal["none", "contract", "legal_obligation", "unstated"] = Setting(alias="for")
    """A duration; or not at all, as long as the contract lasts, as long as the law requires, or not stated."""
    source: HttpsUrl
    """Where the processor says so."""
    as_of: date
    """The day on which the source said so."""
    stale_after: Duration = Duration.parse("P12M")
    """How long such a statement is relied on before somebody has to look again."""


class Sees(Part):
    """What a processor's own servers see of people, and keep, which the service can neither prevent nor read."""

    label: Text
    """What it is, as in "your IP address"."""
    when: Text
    """Completes "when …": what brings people's browsers to the processor."""
    keep: Duration | Literal["unstated"]
    """How long the processor keeps it in its logs, as it says itself."""
    source: HttpsUrl
    """Where the processor says so."""


class Processor(Part):
    """Another party that receives data (GDPR Article 4(8), 28)."""

    label: Text
    """The name of the processor, as the policy says it."""
    does: Text
    """Completes "… does": what it is used for, in the policy's words."""
    purposes: tuple[Identifier, ...] = Setting(min_length=1)
    """The purposes for which it receives data."""
    receives: tuple[FieldPath, ...] = Setting(min_length=1)
    """Categories, single fields, `content` (what API requests and answers say) or `analytics` (declared events)."""
    mode: Literal["store", "transit"]
    """Whether it stores what it receives or only passes it on."""
    hosts: tuple[Host, ...] = Setting(min_length=1)
    """The hosts that are its own; a connection to any other host is refused."""
    policy_covers: Text
    """What its own privacy policy speaks for."""
    policy_url: HttpsUrl
    """Where its own privacy policy stands."""
    keeps: Keeps
    """How long it keeps what it received."""
    sees: Sees | None = None
    """What it sees of people by itself, without getting it from the service."""
