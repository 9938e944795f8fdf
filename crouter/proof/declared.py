"""Everything that a deployment declares, each thing with its place in policy.yaml and in the generated files.

What is not in this list can hold no data: tables, columns, log fields, metric labels, cookies, storage keys, headers,
hosts, jobs, routes and analytics events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase, Expire
from crouter.policy.model import Policy
from crouter.policy.paths import NoSuchValueError, value_at
from crouter.policy.problems import Path

Kind = Literal[
    "table",
    "column",
    "log field",
    "metric label",
    "metric",
    "cookie",
    "storage key",
    "request header",
    "response header",
    "host",
    "job",
    "route",
    "analytics event",
    "mail",
]


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared thing. `path` leads into policy.yaml, and nowhere if the policy does not declare it.

    `found_by` are texts that stand in `file` one after the other, the last one where the thing is declared.
    """

    kind: Kind
    name: str
    path: Path
    file: str
    found_by: tuple[str, ...]

    @property
    def dotted(self) -> str:
        """The path as a claim or a segment writes it."""
        return ".".join(map(str, self.path))


@dataclass(frozen=True, slots=True)
class GeneratedPlace:
    """A line of a generated file; the path starts below generated/."""

    file: str
    line: int


def declared_by(deployment: Deployment, policy: Policy) -> tuple[Declared, ...]:
    """Every declared thing, in the order of the deployment."""
    return (
        *_records(deployment, policy),
        *_observation(deployment),
        *_browser(deployment),
        *_traffic(deployment, policy),
        *_jobs(deployment),
        *_mails(deployment),
    )


def is_declared(policy: Policy, path: Path) -> bool:
    """Whether the path leads to something in the policy."""
    try:
        value_at(policy, path)
    except NoSuchValueError:
        return False
    return True


def place_of(declared: Declared, files: Mapping[str, str]) -> GeneratedPlace | None:
    """Where a thing is declared in the generated files (path to text), None if it is not there."""
    text, at = files.get(declared.file, ""), 0
    for needle in declared.found_by:
        at = text.find(needle, at)
        if at < 0:
            return None
    return GeneratedPlace(declared.file, text.count("\n", 0, at) + 1)


def _records(deployment: Deployment, policy: Policy) -> Iterator[Declared]:
    for record in deployment.records:
        file = f"service/records/{record.name}.py"
        yield Declared("table", record.name, ("data", record.name), file, (f'policy_path="{record.policy_path}"',))
        category = policy.data.get(record.name)
        for field in record.fields:
            part = "fields" if category is not None and field.name in category.fields else "technical"
            path: Path = ("data", record.name, part, field.name)
            needle = f'policy_path="{field.policy_path}"'
            yield Declared("column", f"{record.name}.{field.name}", path, file, (needle,))


def _observation(deployment: Deployment) -> Iterator[Declared]:
    for stream in deployment.logs:
        for log_field in stream.fields:
            needles = ("LogStream(", f'name="{stream.name}"', f'LogField(name="{log_field.name}"')
            path: Path = ("logging", stream.name, log_field.name)
            yield Declared("log field", f"{stream.name}.{log_field.name}", path, "service/logs.py", needles)
    for metric in deployment.metrics:
        file, start = "service/metrics.py", f'name="{metric.name}"'
        yield Declared("metric", metric.name, ("metrics", metric.name), file, (start,))
        for number, label in enumerate(metric.labels):
            place: Path = ("metrics", metric.name, "labels", number)
            yield Declared("metric label", f"{metric.name}.{label}", place, file, (start, "labels=", f'"{label}"'))


def _browser(deployment: Deployment) -> Iterator[Declared]:
    file, web = "service/web.py", deployment.web
    for cookie in web.cookies:
        yield Declared("cookie", cookie.name, ("cookies", cookie.name), file, ("cookies=", f'"{cookie.name}"'))
    for key in web.storage:
        yield Declared("storage key", key.name, ("storage", key.name), file, ("storage=", f'"{key.name}"'))
    for event in web.analytics.events if web.analytics else ():
        path = ("analytics", "events", event.name)
        yield Declared("analytics event", event.name, path, file, ("events=", f'name="{event.name}"'))


def _traffic(deployment: Deployment, policy: Policy) -> Iterator[Declared]:
    file, proxy = "service/proxy.py", deployment.proxy
    for route in proxy.routes:
        yield Declared("route", route.name, ("proxy", "routes", route.name), file, ("routes=", f'name="{route.name}"'))
    for part, patterns in (
        ("drops_request_headers", proxy.drops_request_headers),
        ("drops_response_headers", proxy.drops_response_headers),
    ):
        kind: Kind = "request header" if part == "drops_request_headers" else "response header"
        said = getattr(policy.proxy, part)
        for pattern in patterns:
            number = said.index(pattern) if pattern in said else len(said)
            yield Declared(kind, pattern, ("proxy", part, number), file, (f"{part}=", f'"{pattern}"'))
    for processor in deployment.processors:
        party = policy.processors.get(processor.name)
        known = party.hosts if party is not None else ()
        for host in processor.hosts:
            number = known.index(host) if host in known else len(known)
            path: Path = ("processors", processor.name, "hosts", number)
            needles = (f'policy_path="{processor.policy_path}"', "hosts=", f'"{host}"')
            yield Declared("host", host, path, "service/processors.py", needles)


def _jobs(deployment: Deployment) -> Iterator[Declared]:
    rules: tuple[Expire | Erase, ...] = (*deployment.retention.expire, *deployment.retention.erase)
    for rule in rules:
        needle = f'policy_path="{rule.policy_path}"'
        yield Declared("job", rule.name, ("retention", rule.name), "retention/__init__.py", (needle,))


def _mails(deployment: Deployment) -> Iterator[Declared]:
    for template in deployment.mail.templates if deployment.mail is not None else ():
        needle = f'policy_path="{template.policy_path}"'
        yield Declared("mail", template.name, ("mail", template.name), "service/mail.py", (needle,))
