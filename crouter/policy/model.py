"""The whole of policy.yaml: its parts, and the sections of the document made from them.

Checks here and in `parts/` look at one value or at values side by side in one mapping. What crosses parts is in
`rules/`; where a value stands in the file is known to `document.py` only.
"""

from datetime import date
from typing import Literal

from pydantic import Field as Setting

from crouter.policy.parts.base import Part
from crouter.policy.parts.data import DataCategory, Never, Purpose, Source
from crouter.policy.parts.disclosures import Disclosures, Waiver
from crouter.policy.parts.parties import Controller, PolicyDates, Processor, Service
from crouter.policy.parts.promises import Requests, Retention, Right, Security
from crouter.policy.parts.surface import (
    Analytics,
    Consent,
    Cookie,
    LogStream,
    MailTemplate,
    Metric,
    Proxy,
    StorageKey,
)
from crouter.policy.types import ClaimId, CookieName, Identifier, Locale, MetricName, PolicyPath, Text

SentenceKind = Literal[
    "collects",
    "pays",
    "excludes",
    "passes_through",
    "office",
    "uses",
    "processor",
    "seals_keys",
    "encrypts_transport",
    "runs_at_edge",
    "retains",
    "deletes",
    "right",
    "answers",
    "sets_cookies",
    "measures",
    "no_advertising",
    "may_change",
    "announces_changes",
    "accepts_changes",
    "contact",
]
"""The kinds of sentence that the library can compose."""


class Manual(Part):
    """What only a person can do, and does until the review."""

    owner: Text
    """Who keeps the promise: a role rather than a name."""
    review: date
    """The day by which somebody has looked whether it is still kept."""


class Claim(Part):
    """A sentence of the policy and what enforces it."""

    says: SentenceKind
    """The kind of sentence."""
    about: PolicyPath
    """The part of policy.yaml that the sentence is composed from."""
    enforced_by: tuple[Identifier, ...] = ()
    """Mechanisms of the library; empty for a fact, and where only a person keeps the promise."""
    manual: Manual | None = None
    """The person behind the sentence, where no mechanism or not a mechanism alone keeps it."""
    words: dict[Locale, Text] = Setting(default_factory=dict)
    """The sentence in words of your own, by language; `{data.usage.label}` stands for the value at that path."""


class Section(Part):
    """A titled group of claims, in the order of the document."""

    title: Text
    """The heading of the section."""
    claims: dict[ClaimId, Claim] = Setting(min_length=1)
    """The sentences of the section, in order, each under its stable id."""
    titles: dict[Locale, Text] = Setting(default_factory=dict)
    """The heading in the further languages of the document."""


class Policy(Part):
    """The policy of one service."""

    language: Literal[1]
    """The version of the policy language."""
    service: Service
    """The service that the policy is about."""
    controller: Controller
    """Who is answerable."""
    policy: PolicyDates
    """The document itself."""
    purposes: dict[Identifier, Purpose] = Setting(min_length=1)
    """Why data is used."""
    sources: dict[Identifier, Source] = Setting(min_length=1)
    """Where data comes from."""
    data: dict[Identifier, DataCategory] = Setting(min_length=1)
    """What is kept: one table for each category."""
    never: dict[Identifier, Never]
    """What is never done, whatever happens."""
    processors: dict[Identifier, Processor]
    """Who else receives what."""
    retention: dict[Identifier, Retention] = Setting(min_length=1)
    """How long everything is kept, and when it goes."""
    proxy: Proxy
    """What the proxy forwards, and what it takes out first."""
    mail: dict[Identifier, MailTemplate] = Setting(default_factory=dict)
    """Every kind of mail that may be sent; any other is refused."""
    logging: dict[Identifier, LogStream]
    """Everything that may stand in a log line: the fields of each log."""
    metrics: dict[MetricName, Metric]
    """The counters and gauges that a monitoring system may read."""
    cookies: dict[CookieName, Cookie]
    """The cookies that the service may set."""
    storage: dict[CookieName, StorageKey] = Setting(default_factory=dict)
    """The keys of the browser's storage that a page may write."""
    consent: Consent
    """What waits for consent."""
    analytics: Analytics | None = None
    """What is measured on the web pages, if anything is."""
    security: Security
    """Technical measures."""
    rights: dict[Identifier, Right]
    """The rights of the person."""
    requests: Requests
    """How a person exercises a right."""
    sections: tuple[Section, ...] = Setting(min_length=1)
    """The document: which sentence stands where."""
    disclosures: Disclosures | None = None
    """What a law wants said beyond what the service does."""
    waivers: tuple[Waiver, ...] = ()
    """Findings of `crouter lint` that somebody accepts for a time."""
