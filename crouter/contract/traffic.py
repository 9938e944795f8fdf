"""Declares the proxied routes, the headers taken out, the bounds and the default limits."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Route:
    """A path that is forwarded. `{id}`, or another name in braces, stands for one segment.

    `dialect` says whose form requests and answers have. `owned_by` names the record that says whose a thing is which
    outlives its request; nobody but its owner may see it.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    metered: bool
    dialect: Literal["anthropic", "openai"] = "anthropic"
    owned_by: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one API key; None is no limit. Tokens read from a cache are no input tokens here."""

    requests_per_minute: int
    requests_per_hour: int
    requests_per_day: int
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    concurrent_requests: int | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """What is forwarded to the upstream. A header pattern that ends in `*` is a prefix; all are lower case."""

    upstream: str
    body_bytes_max: int
    routes: tuple[Route, ...]
    drops_request_headers: tuple[str, ...]
    drops_response_headers: tuple[str, ...]
    limits: Limits
    limit_store_hosts: tuple[str, ...] = ()
    """Where several machines may count together."""
