"""What names a person stays where the document says: our own cookies, identifiers in logs and metrics, stored rows."""

from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.rules.contradictions.sinks import is_dropped
from crouter.policy.rules.frame import Finding, Rule

_SECRET = frozenset({"email", "sealed", "keyed_hash"})
# From so many whole categories on, what a processor stores is taken for the database.
_CATEGORIES_MIN = 2


def _own_cookies(policy: Policy) -> Iterator[Finding]:
    if policy.cookies and not is_dropped(policy, "cookie"):
        sentence = f"our own cookies leave for {policy.proxy.upstream}, which is not declared to receive them"
        yield Finding(("proxy", "drops_request_headers"), sentence, "add cookie to it", at_key=True)


def _identifiers(policy: Policy) -> dict[str, str]:
    """Names that, as a log field or a label, tell one person from another, and the column that each is known from."""
    found: dict[str, str] = {}
    for name, category in policy.data.items():
        if category.subject == "none":
            continue
        found[f"{name}_id"] = f"data.{name}"
        source = policy.sources.get(category.source)
        for key, field in category.fields.items():
            if field.type in _SECRET or (source is not None and source.kind == "identity"):
                found.setdefault(key, f"data.{name}.{key}")
        for key, column in category.technical.items():
            if column.type in _SECRET or (column.type == "reference" and column.to in policy.data):
                found.setdefault(key, f"data.{name}.{key}")
    return found


def _named_in_logs(policy: Policy) -> Iterator[Finding]:
    names = _identifiers(policy)
    for stream, fields in policy.logging.items():
        for field in fields:
            if field in names:
                sentence = (
                    f"the log field {stream}.{field} tells people apart ({names[field]}), and no sentence says so"
                )
                yield Finding(
                    ("logging", stream, field), sentence, "delete it: a request id tells requests apart", True
                )


def _named_in_metrics(policy: Policy) -> Iterator[Finding]:
    names = _identifiers(policy)
    for name, metric in policy.metrics.items():
        for index, label in enumerate(metric.labels):
            if label in names:
                sentence = (
                    f"the metric label {name}.{label} tells people apart ({names[label]}), and no sentence says so"
                )
                yield Finding(
                    ("metrics", name, "labels", index), sentence, "delete it: metrics count, they name nobody"
                )


def _kept_nowhere(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        whole = [received for received in processor.receives if received in policy.data]
        if processor.mode != "store" or len(whole) < _CATEGORIES_MIN:
            continue
        for category, data in policy.data.items():
            if data.subject != "none" and not _is_stored(policy, category):
                sentence = f"{name} stores {', '.join(whole)}, and is not declared to receive {category}"
                hint = f"add {category} to it, or declare who stores data.{category}"
                yield Finding(("processors", name, "receives"), sentence, hint, at_key=True)


def _is_stored(policy: Policy, category: str) -> bool:
    return any(category in processor.receives and processor.mode == "store" for processor in policy.processors.values())


RULES = (
    Rule("PX-32", ("cookies", "proxy"), _own_cookies),
    Rule("PX-33", ("data", "logging", "sources"), _named_in_logs),
    Rule("PX-33", ("data", "metrics", "sources"), _named_in_metrics),
)
ADVICE = (Rule("PX-34", ("data", "processors"), _kept_nowhere),)
