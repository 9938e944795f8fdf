"""Where data could leave: `proxy`, `mail`, `logging`, `metrics`, `cookies`, `storage`, `consent`, `analytics`."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag
from pydantic import Field as Setting

from crouter.policy.parts.base import Part
from crouter.policy.types import Duration, HeaderPattern, Host, Identifier, Text, UrlPath

LogFieldType = Literal["timestamp", "word", "number", "request_id"]
"""What a log field may hold: none of them can carry free text."""

CookieCategory = Literal["essential", "analytics"]


class Route(Part):
    """A path of the upstream's API that the proxy forwards."""

    method: Literal["GET", "POST", "DELETE"]
    """The HTTP method."""
    path: UrlPath
    """The path; `{id}` stands for one segment."""
    metered: bool
    """Whether an answer's usage is recorded and charged."""
    dialect: Literal["anthropic", "openai"] = "anthropic"
    """Whose request and answer it has: Anthropic's own, or OpenAI's as Anthropic's compatibility endpoint speaks it."""
    owned_by: Identifier | None = None
    """For things that outlive their request: the data category that records whose they are. Nobody else sees them."""


class Limits(Part):
    """Default rate limits."""

    per: Literal["api_key"]
    """What the requests are counted for."""
    requests_per_minute: Annotated[int, Setting(ge=1)]
    """The most requests in a minute."""
    requests_per_hour: Annotated[int, Setting(ge=1)]
    """The most requests in an hour."""
    requests_per_day: Annotated[int, Setting(ge=1)]
    """The most requests in a day."""
    input_tokens_per_minute: Annotated[int, Setting(ge=1)] | None = None
    """The most input tokens in a minute, tokens read from a cache apart; no limit when it is not given."""
    output_tokens_per_minute: Annotated[int, Setting(ge=1)] | None = None
    """The most output tokens in a minute; no limit when it is not given."""
    concurrent_requests: Annotated[int, Setting(ge=1)] | None = None
    """The most metered requests that are under way at once; no limit when it is not given."""
    store_hosts: tuple[Host, ...] = ()
    """Hosts of a store of the operator's own in which several machines count together, under keyed hashes."""


class Proxy(Part):
    """What the proxy forwards, and what it takes out first."""

    upstream: Identifier
    """The processor that answers the requests."""
    body_bytes_max: Annotated[int, Setting(ge=1024, le=1 << 30)]
    """The largest request body; a larger one is refused before it is read whole."""
    routes: dict[Identifier, Route] = Setting(min_length=1)
    """The paths of the upstream's API that are forwarded; any other is unknown."""
    drops_request_headers: tuple[HeaderPattern, ...]
    """What is taken out of a request. Other headers pass, so that new ones of the API work at once."""
    drops_response_headers: tuple[HeaderPattern, ...]
    """What is taken out of an answer."""
    limits: Limits
    """The default rate limits."""


MailValueType = Literal["money", "date", "moment", "count", "word", "page", "right", "version"]
"""What a value in a mail may be: none of them can carry free text. A `page` is a path of our own, a `right` one of
`rights`, a `version` a published version of this policy."""


class MailTemplate(Part):
    """One kind of mail. What it says besides its values is part of the library."""

    purpose: Identifier
    """What it is for: one of the purposes for which the address may be read."""
    when: Text
    """Completes "when …": what happened that it tells of."""
    values: dict[Identifier, MailValueType] = Setting(default_factory=dict)
    """All that it may say about its reader, by name."""


LogStream = Annotated[dict[Identifier, LogFieldType], Setting(min_length=1)]
"""The fields that a line of one log may have."""


class Counter(Part):
    """Something that is counted, and its labels. Its name ends in `_total`."""

    counts: Text
    """What is counted, as the metric's help says it."""
    labels: tuple[Identifier, ...] = ()
    """The only labels it may have."""


class Gauge(Part):
    """Something that has a value at each moment, and its labels. Its name does not end in `_total`."""

    shows: Text
    """What the value is, as the metric's help says it."""
    labels: tuple[Identifier, ...] = ()
    """The only labels it may have."""


def _kind_of_metric(value: object) -> str:
    is_gauge = isinstance(value, Gauge) or (isinstance(value, dict) and "shows" in value)
    return "gauge" if is_gauge else "counter"


Metric = Annotated[
    Annotated[Counter, Tag("counter")] | Annotated[Gauge, Tag("gauge")],
    Discriminator(_kind_of_metric),
]
"""A counter or a gauge."""


class Cookie(Part):
    """A cookie the service may set."""

    purpose: Identifier
    """What it is for."""
    category: CookieCategory
    """Which consent mode applies."""
    lifetime: Duration | Literal["session"]
    """How long a browser keeps it; `session` is until it is closed."""
    http_only: bool
    """Whether scripts are kept from reading it."""
    same_site: Literal["strict", "lax"]
    """Whether it goes along when another site links here (`lax`) or never (`strict`)."""


class StorageKey(Part):
    """A key of the browser's storage that a page may write."""

    kind: Literal["local_storage", "session_storage"]
    """Which storage of the browser."""
    purpose: Identifier
    """What it is for."""
    category: CookieCategory
    """Which consent mode applies."""
    lifetime: Duration | Literal["session", "persistent"]
    """How long it stays; `session` is until the page is closed, `persistent` until it is removed."""


class Consent(Part):
    """What waits for consent."""

    modes: dict[CookieCategory, Literal["always", "opt_in", "opt_out"]]
    """For each category: always on, only after consent, or until it is refused."""
    honours: tuple[Literal["global_privacy_control", "do_not_track"], ...] = ()
    """The browser's signals that count as a refusal."""


class AnalyticsEvent(Part):
    """One kind of event and the only properties it may carry."""

    label: Text
    """The words of the policy, as in "page views"."""
    properties: tuple[Literal["path", "referrer_host", "element"], ...] = ()
    """The only properties that such an event may carry."""


class Analytics(Part):
    """What is measured on the web pages."""

    processor: Identifier
    """The processor that receives the events."""
    relay: UrlPath
    """The path of our own that takes events and passes them on without what tells who or where."""
    events: dict[Identifier, AnalyticsEvent] = Setting(min_length=1)
    """The kinds of event that are measured; any other is dropped."""
    never_sends: tuple[Text, ...] = ()
    """What is taken out before an event leaves, as the policy says it."""
