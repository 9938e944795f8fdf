"""The edge family: the Worker in front of the service, its mechanism, and how it is installed.

Text of the policy reaches JavaScript as JSON literals only. A policy without an edge has none of these files.
"""

from dataclasses import dataclass
from typing import Any

from crouter.generate.templates import Templates
from crouter.plan.edge import Edge, plan_edge
from crouter.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class WorkerView:
    """worker.js: what is declared, as JSON values."""

    header: str
    declared: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MechanismView:
    """crouter-edge.js, which is the same for every policy but for its header."""

    header: str


@dataclass(frozen=True, slots=True)
class WranglerView:
    """wrangler.jsonc."""

    header: str
    settings: dict[str, Any]


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """Everything in generated/edge/, or nothing."""
    edge = plan_edge(plan.policy, plan.deployment)
    if edge is None:
        return {}
    views: dict[str, object] = {
        "edge/crouter-edge.js": MechanismView(plan.header),
        "edge/worker.js": WorkerView(plan.header, _declared(edge)),
        "edge/wrangler.jsonc": WranglerView(plan.header, _settings(edge)),
    }
    return {path: templates.render(f"{path}.jinja", view) for path, view in views.items()}


def _declared(edge: Edge) -> dict[str, Any]:
    return {
        "service": edge.service,
        "host": edge.host,
        "plain_http": edge.plain_http,
        "tls_minimum": edge.tls_minimum,
        "hsts_seconds": edge.hsts_seconds,
        "api_prefixes": edge.api_prefixes,
        "drops_request_headers": edge.drops_request_headers,
    }


def _settings(edge: Edge) -> dict[str, Any]:
    flags = {"compatibility_flags": edge.compatibility_flags} if edge.compatibility_flags else {}
    return {
        "name": edge.worker_name,
        "main": "worker.js",
        "compatibility_date": edge.compatibility_date.isoformat(),
        **flags,
        # The Worker is reached at the declared host and at no other: addresses of Cloudflare's own would pass it by.
        "routes": [{"pattern": edge.host, "custom_domain": True}],
        "workers_dev": False,
        "preview_urls": False,
        # What Cloudflare would keep about requests.
        "observability": {"enabled": False},
        "logpush": False,
        "upload_source_maps": False,
        # What the tool would tell about its use.
        "send_metrics": False,
    }
