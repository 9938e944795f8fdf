"""Declares what the web pages may set, load and serve."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie the service may set. `max_age_seconds` is None for a session cookie."""

    name: str
    purpose: str
    category: Literal["essential", "analytics"]
    max_age_seconds: int | None
    http_only: bool
    same_site: Literal["strict", "lax"]


@dataclass(frozen=True, slots=True)
class StorageKey:
    """A key of the browser's storage that a page may write."""

    name: str
    kind: Literal["local_storage", "session_storage"]
    purpose: str
    category: Literal["essential", "analytics"]


@dataclass(frozen=True, slots=True)
class AnalyticsEvent:
    """An event and the only properties it may carry."""

    name: str
    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analytics:
    """The relay for analytics events."""

    processor: str
    relay_path: str
    mode: Literal["always", "opt_in", "opt_out"]
    honours: tuple[str, ...]
    events: tuple[AnalyticsEvent, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A generated file that is served. `file` is relative to the `generated` directory."""

    path: str
    media_type: str
    file: str


@dataclass(frozen=True, slots=True)
class Web:
    """Everything the pages may do."""

    cookies: tuple[Cookie, ...]
    storage: tuple[StorageKey, ...]
    analytics: Analytics | None
    response_headers: tuple[tuple[str, str], ...]
    """Sent with every page: Content-Security-Policy, Permissions-Policy, Referrer-Policy and their like."""
    documents: tuple[Document, ...]
