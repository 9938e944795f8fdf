"""The policy as the contract says it: one `Deployment`, which the service family writes down as source."""

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment, Identity, Security
from crouter.contract.destinations import Processor
from crouter.contract.observation import LogField, LogStream, Metric
from crouter.contract.requests import Requests
from crouter.contract.retention import Period, RetentionPlan
from crouter.contract.traffic import Limits, Proxy, Route
from crouter.contract.version import CONTRACT
from crouter.contract.web import Web
from crouter.plan.mail import plan_mail
from crouter.plan.records import purposes_of, records_of
from crouter.plan.retention import period
from crouter.plan.schema import SCHEMA
from crouter.policy.model import Policy
from crouter.policy.parts.surface import Gauge


def declare(policy: Policy, digest: str, retention: RetentionPlan, web: Web) -> Deployment:
    """Everything that the running service is told, and nothing that it is not."""
    return Deployment(
        contract=CONTRACT,
        policy_digest=digest,
        policy_version=policy.policy.version,
        identity=Identity(
            name=policy.service.name,
            url=policy.service.url,
            description=policy.service.description,
            contact=policy.controller.contact,
        ),
        purposes=purposes_of(policy),
        records=records_of(policy),
        processors=_processors(policy),
        proxy=_proxy(policy),
        logs=_logs(policy),
        metrics=_metrics(policy),
        web=web,
        security=_security(policy),
        retention=retention,
        requests=_requests(policy),
        database_schema=SCHEMA,
        mail=plan_mail(policy),
        policy_notice=_notice(policy),
    )


def _notice(policy: Policy) -> Period | None:
    """The notice of a significant version, where it is given by mail."""
    changes = policy.policy.changes
    if changes.notice is None or not policy.mail or changes.announced_by != "email":
        return None
    return period(changes.notice)


def _processors(policy: Policy) -> tuple[Processor, ...]:
    return tuple(
        Processor(
            name=name,
            label=processor.label,
            policy_path=f"processors.{name}",
            mode=processor.mode,
            hosts=processor.hosts,
            purposes=processor.purposes,
            receives=processor.receives,
        )
        for name, processor in policy.processors.items()
    )


def _proxy(policy: Policy) -> Proxy:
    proxy = policy.proxy
    return Proxy(
        upstream=proxy.upstream,
        body_bytes_max=proxy.body_bytes_max,
        routes=tuple(
            Route(
                name=name,
                method=route.method,
                path=route.path,
                metered=route.metered,
                dialect=route.dialect,
                owned_by=route.owned_by,
            )
            for name, route in proxy.routes.items()
        ),
        drops_request_headers=proxy.drops_request_headers,
        drops_response_headers=proxy.drops_response_headers,
        limits=Limits(
            requests_per_minute=proxy.limits.requests_per_minute,
            requests_per_hour=proxy.limits.requests_per_hour,
            requests_per_day=proxy.limits.requests_per_day,
            input_tokens_per_minute=proxy.limits.input_tokens_per_minute,
            output_tokens_per_minute=proxy.limits.output_tokens_per_minute,
            concurrent_requests=proxy.limits.concurrent_requests,
        ),
        limit_store_hosts=proxy.limits.store_hosts,
    )


def _logs(policy: Policy) -> tuple[LogStream, ...]:
    return tuple(
        LogStream(name=name, fields=tuple(LogField(name=field, kind=kind) for field, kind in stream.items()))
        for name, stream in policy.logging.items()
    )


def _metrics(policy: Policy) -> tuple[Metric, ...]:
    return tuple(
        Metric(name=name, help=metric.shows, labels=metric.labels, kind="gauge")
        if isinstance(metric, Gauge)
        else Metric(name=name, help=metric.counts, labels=metric.labels)
        for name, metric in policy.metrics.items()
    )


def _security(policy: Policy) -> Security:
    https, keys = policy.security.https, policy.security.keys
    return Security(
        key_encryption=policy.security.keys.encryption,
        key_lookup=policy.security.keys.lookup,
        tls_minimum=https.minimum_tls,
        # A month becomes its longest: browsers insist on https no shorter than the policy says.
        hsts_seconds=https.hsts.seconds_max,
        plain_http=https.plain_http,
        keys_active_max=keys.active_max,
        # No longer than the policy says, in whichever month it begins.
        key_grace_seconds=keys.rotation_grace.seconds_min if keys.rotation_grace else 0,
    )


def _requests(policy: Policy) -> Requests:
    rights = policy.rights.values()
    return Requests(
        deadline=period(policy.requests.deadline),
        corrected=tuple(dict.fromkeys(path for right in rights if right.article == 16 for path in right.fields)),
        formats=tuple(dict.fromkeys(name for right in rights if right.article == 15 for name in right.formats)),
    )


def is_technical(record: Record) -> bool:
    """Whether nothing in a record is read for a purpose: it joins, orders or serves the service's own work."""
    return not any(field.purposes for field in record.fields)
