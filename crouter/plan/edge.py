"""What the edge in front of the service is told: facts for a Worker, and for the tool that installs it.

How a Worker acts on them is `crouter/generate/templates/edge/mechanism.js`.
"""

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from crouter.contract.deployment import Deployment
from crouter.policy.model import Policy

_NAME_CHARS_MAX = 63
# From this day on, a Worker may say that a request must not be cached without asking for it with a flag.
_CACHE_OPTION_SINCE = date(2024, 11, 11)
_CACHE_OPTION_FLAG = "cache_option_enabled"


@dataclass(frozen=True, slots=True)
class Edge:
    """One Worker in front of one service."""

    worker_name: str
    """At most 63 characters of `[a-z0-9-]`, as Cloudflare wants them."""
    host: str
    """The public host of the service, without a port."""
    compatibility_date: date
    compatibility_flags: tuple[str, ...]
    service: str
    api_prefixes: tuple[str, ...]
    """The first segment of every declared route: what lies below is the API, everything else is a page. An empty one
    makes everything the API."""
    drops_request_headers: tuple[str, ...]
    hsts_seconds: int
    plain_http: str
    tls_minimum: str


def plan_edge(policy: Policy, deployment: Deployment) -> Edge | None:
    """The edge of a policy, or None where it declares none. Pure."""
    edge = policy.security.edge
    if edge is None:
        return None
    host = urlsplit(policy.service.url).hostname
    assert host is not None, "an HttpsUrl has a host"
    return Edge(
        worker_name=_worker_name(host),
        host=host,
        compatibility_date=edge.compatibility_date,
        compatibility_flags=(_CACHE_OPTION_FLAG,) if edge.compatibility_date < _CACHE_OPTION_SINCE else (),
        service=deployment.identity.name,
        api_prefixes=tuple(dict.fromkeys(_first_segment(route.path) for route in deployment.proxy.routes)),
        drops_request_headers=deployment.proxy.drops_request_headers,
        hsts_seconds=deployment.security.hsts_seconds,
        plain_http=deployment.security.plain_http,
        tls_minimum=deployment.security.tls_minimum,
    )


def _first_segment(path: str) -> str:
    segment = path.split("/")[1]
    return "" if segment.startswith("{") else f"/{segment}"


def _worker_name(host: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", host).strip("-")
    return words[: _NAME_CHARS_MAX - len("-edge")].rstrip("-") + "-edge"
