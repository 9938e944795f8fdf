"""What the service shows to the outside fits together: routes, limits, and consent for what a browser keeps."""

import re
from collections.abc import Iterator
from itertools import pairwise

from crouter.policy.model import Policy
from crouter.policy.parts.surface import Counter, Gauge
from crouter.policy.problems import Path
from crouter.policy.rules.frame import Finding, Rule

OWN_PATHS = (
    "/privacy",
    "/privacy.html",
    "/privacy.md",
    "/privacy.txt",
    "/privacy.json",
    "/privacy/history",
    "/privacy/history.json",
    "/privacy/policy.css",
    "/privacy/proof",
    "/privacy/proof.html",
    "/privacy/proof.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/consent",
    "/consent.json",
    "/pricing",
    "/status",
    "/status.json",
    "/favicon.ico",
)
"""Pages of the service, beside what begins with a dot. A test holds it to the service's own list."""
OWN_FOLDERS = ("/dashboard", "/account", "/admin", "/api", "/assets", "/sign-in", "/sign-out", "/webhooks")
"""Where everything, and what is below, is the service's own."""


def _own_path(path: str) -> str | None:
    """The page of the service that a path would stand in the way of."""
    pattern = "[^/]+".join(re.escape(piece) for piece in re.split(r"\{[a-z_]+\}", path))
    below = (folder for folder in OWN_FOLDERS if path.startswith(f"{folder}/"))
    return next((own for own in (*OWN_PATHS, *OWN_FOLDERS) if re.fullmatch(pattern, own)), next(below, None))


def _pages(policy: Policy) -> Iterator[Finding]:
    for name, route in policy.proxy.routes.items():
        if route.method == "GET" and (own := _own_path(route.path)):
            sentence = f"the service answers {own} itself"
            yield Finding(("proxy", "routes", name, "path"), sentence, "choose a path below /v1")


def _metered(policy: Policy) -> Iterator[Finding]:
    for name, route in policy.proxy.routes.items():
        # What a batch used is told by its results, and its record says whose it is.
        if route.metered and route.method != "POST" and route.owned_by is None:
            sentence = f"a {route.method} request names no model, and there would be nothing to meter"
            yield Finding(("proxy", "routes", name, "metered"), sentence, "write `metered: false`")


# Things of the upstream's API that outlive the request that made them. Behind one upstream key they are one heap.
_SHARED_STATE = {
    "/v1/messages/batches": "batch",
    "/v1/files": None,
    "/v1/skills": None,
    "/v1/organizations": None,
    "/v1/agents": None,
    "/v1/sessions": None,
    "/v1/environments": None,
    "/v1/vaults": None,
    "/v1/memory_stores": None,
    "/v1/user_profiles": None,
}


def _owners(policy: Policy) -> Iterator[Finding]:
    """Behind one upstream key, what outlives its request could be read by every customer."""
    for name, route in policy.proxy.routes.items():
        shared = next((path for path in _SHARED_STATE if _reaches(route.path, path)), None)
        record = _SHARED_STATE.get(shared) if shared is not None else None
        place = ("proxy", "routes", name)
        if shared is not None and record is None:
            sentence = f"what is below {shared} outlives its request, and no record says whose it is"
            yield Finding((*place, "path"), sentence, "take the route out: the library cannot tell its owners apart")
        elif record != route.owned_by and record is not None:
            sentence = f"what is below {shared} outlives its request, and this route does not say who may see it"
            yield Finding((*place, "path"), sentence, f"add `owned_by: {record}`")
        elif route.owned_by is not None and record is None:
            sentence = f"nothing below {route.path} is recorded in a data category of its own"
            yield Finding((*place, "owned_by"), sentence, "take it out")
        elif route.owned_by is not None and route.owned_by not in policy.data:
            sentence = f"there is no data category `{route.owned_by}` that could say whose it is"
            yield Finding((*place, "owned_by"), sentence, f"declare data.{route.owned_by}, or take the route out")


def _reaches(path: str, shared: str) -> bool:
    """Whether a route's path, some of whose segments may stand for any, is or leads below another path."""
    segments, wanted = path.split("/"), shared.split("/")
    return len(segments) >= len(wanted) and all(
        segment == name or segment.startswith("{") for segment, name in zip(segments, wanted, strict=False)
    )


def _dialects(policy: Policy) -> Iterator[Finding]:
    for name, route in policy.proxy.routes.items():
        if route.dialect == "openai" and not (route.metered and route.method == "POST" and route.owned_by is None):
            sentence = "what is asked in OpenAI's form is a chat completion: a POST that is metered"
            yield Finding(("proxy", "routes", name, "dialect"), sentence, "take `dialect` out")


def _answered(path: str) -> str:
    """The path with one word for every segment that stands for any."""
    return re.sub(r"\{[a-z_]+\}", "{}", path)


def _routes(policy: Policy) -> Iterator[Finding]:
    first: dict[tuple[str, str], str] = {}
    for name, route in policy.proxy.routes.items():
        known = first.setdefault((route.method, _answered(route.path)), name)
        if known != name:
            sentence = f"the route `{known}` has this method and path already"
            yield Finding(("proxy", "routes", name, "path"), sentence, "delete one of the two")


def _relay(policy: Policy) -> Iterator[Finding]:
    if policy.analytics is None:
        return
    if "{" in policy.analytics.relay:
        sentence = "the relay is one path, and `{…}` stands for many"
        yield Finding(("analytics", "relay"), sentence, "write the path out, for example /relay/analytics")
    if own := _own_path(policy.analytics.relay):
        yield Finding(("analytics", "relay"), f"the service answers {own} itself", "choose another path for the relay")
    for name, route in policy.proxy.routes.items():
        if _answered(route.path) == _answered(policy.analytics.relay):
            sentence = f"proxy.routes.{name} has this path already"
            yield Finding(("analytics", "relay"), sentence, "choose another path for the relay")


def _limits(policy: Policy) -> Iterator[Finding]:
    limits = policy.proxy.limits
    periods = (
        ("requests_per_minute", limits.requests_per_minute),
        ("requests_per_hour", limits.requests_per_hour),
        ("requests_per_day", limits.requests_per_day),
    )
    for (shorter, fewer), (longer, more) in pairwise(periods):
        if fewer > more:
            sentence = f"{longer} is {more}, less than {shorter}, which is {fewer}"
            yield Finding(("proxy", "limits", longer), sentence, "give longer periods the larger limits")


def _metric_names(policy: Policy) -> Iterator[Finding]:
    for name, metric in policy.metrics.items():
        if isinstance(metric, Counter) and not name.endswith("_total"):
            yield Finding(("metrics", name), "a counter's name ends in _total", f"call it {name}_total", at_key=True)
        if isinstance(metric, Gauge) and name.endswith("_total"):
            sentence = "a gauge's name does not end in _total, which is for counters"
            yield Finding(("metrics", name), sentence, "choose another name, or write `counts:`", at_key=True)
        # What Prometheus' formats end the names of single samples in.
        if name.endswith(("_created", "_bucket", "_count", "_sum", "_info")):
            sentence = "the ending says something else to a monitoring system"
            yield Finding(("metrics", name), sentence, "choose another ending", at_key=True)


def _modes_of_cookies(policy: Policy) -> Iterator[Finding]:
    for name, cookie in policy.cookies.items():
        yield from _mode(policy, ("cookies", name, "category"), cookie.category)


def _modes_of_storage(policy: Policy) -> Iterator[Finding]:
    for name, key in policy.storage.items():
        yield from _mode(policy, ("storage", name, "category"), key.category)


def _mode_of_analytics(policy: Policy) -> Iterator[Finding]:
    if policy.analytics is not None:
        yield from _mode(policy, ("analytics",), "analytics")


def _mode(policy: Policy, path: Path, category: str) -> Iterator[Finding]:
    if category not in policy.consent.modes:
        mode = "always" if category == "essential" else "opt_in"
        sentence = f"consent.modes does not say whether {category} waits for consent"
        yield Finding(path, sentence, f"add under consent.modes: `{category}: {mode}`", at_key=len(path) == 1)


def _essential(policy: Policy) -> Iterator[Finding]:
    mode = policy.consent.modes.get("essential", "always")
    if mode != "always":
        sentence = f"essential is {mode}, and what is essential does not wait for consent"
        yield Finding(("consent", "modes", "essential"), sentence, "write `essential: always`")


RULES = (
    Rule("PR-35", ("proxy",), _routes),
    Rule("PR-35", ("proxy",), _pages),
    Rule("PR-37", ("proxy",), _metered),
    Rule("PR-37", ("proxy",), _dialects),
    Rule("PR-38", ("data", "proxy"), _owners),
    Rule("PR-35", ("analytics", "proxy"), _relay),
    Rule("PR-36", ("proxy",), _limits),
    Rule("PR-39", ("metrics",), _metric_names),
    Rule("PR-40", ("consent", "cookies"), _modes_of_cookies),
    Rule("PR-40", ("consent", "storage"), _modes_of_storage),
    Rule("PR-40", ("analytics", "consent"), _mode_of_analytics),
    Rule("PR-41", ("consent",), _essential),
)
