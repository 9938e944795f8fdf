"""The policy as JSON-LD in the W3C Data Privacy Vocabulary 2. Needs no remote context: prefixes are in the file."""

from collections.abc import Iterable
from typing import Any

from crouter.generate.views.record_facts import BASIS_LETTERS, UseOfData, kept_words
from crouter.plan.plan import Plan
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor
from crouter.policy.types import Duration

_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_VERBS: dict[str, dict[str, Any]] = {
    "collect": {"dpv:hasProcessing": {"@id": "dpv:Collect"}},
    "store": {"dpv:hasProcessing": {"@id": "dpv:Store"}},
    "log": {"dpv:hasProcessing": {"@id": "dpv:Record"}},
    "retain": {"dpv:hasProcessing": {"@id": "dpv:Store"}},
    "track": {"dpv:hasProcessing": {"@id": "dpv:Monitor"}},
    "share": {"dpv:hasProcessing": {"@id": "dpv:Share"}},
    "sell": {"dpv:hasPurpose": {"@id": "dpv:SellDataToThirdParties"}},
    "rent": {"dpv:hasProcessing": {"@id": "dpv:MakeAvailable"}},
    "share_for_marketing": {"dpv:hasProcessing": {"@id": "dpv:Share"}, "dpv:hasPurpose": {"@id": "dpv:Marketing"}},
}
# The vocabulary has a class for each right of the person from Article 13 on; Article 12 is about how they are used.
_RIGHTS = range(13, 23)


def dpv_graph(plan: Plan) -> dict[str, Any]:
    """The JSON-LD document. Identifiers are fragments of the service's address."""
    policy, use = plan.policy, UseOfData(plan.policy)
    base = f"{policy.service.url.rstrip('/')}/privacy"
    graph = [
        _notice(plan, base),
        _controller(policy, base),
        *(_process(policy, use, base, name) for name in policy.purposes),
        *(_storage(policy, base, name) for name in policy.retention),
        *(_processor(policy, base, name) for name in policy.processors),
        *(_prohibition(policy, base, name) for name in policy.never),
        *_measures(policy, base),
    ]
    return {"@context": _CONTEXT, "@graph": graph}


def _notice(plan: Plan, base: str) -> dict[str, Any]:
    policy = plan.policy
    rights = [right for right in policy.rights.values() if right.article in _RIGHTS]
    return {
        "@id": base,
        "@type": "dpv:PrivacyNotice",
        "dct:title": policy.policy.title,
        "dct:description": policy.service.description,
        "dct:hasVersion": policy.policy.version,
        "dct:issued": {"@type": "xsd:date", "@value": policy.policy.effective.isoformat()},
        "dct:language": policy.policy.locale,
        "dct:identifier": plan.digest,
        "dpv:hasDataController": {"@id": f"{base}#controller"},
        "dpv:hasProcess": _ids(base, "purposes", policy.purposes),
        "dpv:hasRule": _ids(base, "never", policy.never),
        "dpv:hasRight": [{"@type": f"gdpr:A{right.article}", "dct:description": right.label} for right in rights],
        "dpv:hasTechnicalMeasure": _ids(base, "security", _measure_names(policy)),
        "dpv:hasPolicy": _ids(base, "logging", policy.logging),
    }


def _controller(policy: Policy, base: str) -> dict[str, Any]:
    address = {} if policy.controller.office == "none" else {"dpv:hasAddress": policy.controller.office}
    return {
        "@id": f"{base}#controller",
        "@type": "dpv:DataController",
        "dpv:hasName": policy.controller.name,
        "dpv:hasContact": policy.controller.contact,
        **address,
    }


def _process(policy: Policy, use: UseOfData, base: str, name: str) -> dict[str, Any]:
    purpose = policy.purposes[name]
    entries = use.fields_for(name)
    categories = dict.fromkeys(entry.category for entry in entries)
    receivers = dict.fromkeys(
        [
            *(key for key, processor in policy.processors.items() if name in processor.purposes),
            *(key for entry in entries for key in use.recipients_of(entry)),
        ]
    )
    sources = dict.fromkeys(
        policy.sources[entry.field.source or policy.data[entry.category].source].label for entry in entries
    )
    rules = [key for key, rule in policy.retention.items() if any(category in rule.of for category in categories)]
    terms = list(dict.fromkeys(f"pd:{entry.field.dpv}" for entry in entries))
    return {
        "@id": f"{base}#purposes.{name}",
        "@type": "dpv:Process",
        "dct:title": purpose.label,
        "dpv:hasPurpose": {"@id": f"dpv:{purpose.dpv}"},
        "dpv:hasLegalBasis": {"@id": f"gdpr:A6-1-{BASIS_LETTERS[purpose.basis]}"},
        "dpv:hasDataController": {"@id": f"{base}#controller"},
        "dpv:hasDataSubject": {"@id": "dpv:Customer"},
        "dpv:hasPersonalData": [{"@id": term} for term in terms],
        "dpv:hasDataSource": [{"@type": "dpv:DataSource", "dct:title": label} for label in sources],
        "dpv:hasDataProcessor": _ids(base, "processors", receivers),
        "dpv:hasStorageCondition": _ids(base, "retention", rules),
    }


def _storage(policy: Policy, base: str, name: str) -> dict[str, Any]:
    rule = policy.retention[name]
    condition: dict[str, Any] = {
        "@id": f"{base}#retention.{name}",
        "@type": "dpv:StorageCondition",
        "dct:subject": [policy.data[category].label for category in rule.of],
    }
    if isinstance(rule, KeepFor):
        return {**condition, "dpv:hasDuration": _duration(rule.keep)}
    if not isinstance(rule, DeleteAfter):
        return {**condition, "dpv:hasDuration": {"@type": "dpv:UntilEventDuration", "dct:title": "account closed"}}
    exceptions = [
        {"@type": "dpv:StorageCondition", "dct:source": item.law, "dpv:hasDuration": _duration(item.keep)}
        for item in rule.exceptions
    ]
    return {
        **condition,
        "@type": "dpv:StorageDeletion",
        "dpv:hasDuration": _duration(rule.within),
        "dpv:hasStorageCondition": exceptions,
    }


def _processor(policy: Policy, base: str, name: str) -> dict[str, Any]:
    processor = policy.processors[name]
    kept = processor.keeps.for_
    return {
        "@id": f"{base}#processors.{name}",
        "@type": "dpv:DataProcessor",
        "dpv:hasName": processor.label,
        "dct:description": processor.does,
        "dpv:hasNotice": {"@id": processor.policy_url},
        "dpv:hasProcessing": {"@id": "dpv:Store" if processor.mode == "store" else "dpv:Transfer"},
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageCondition",
            "dpv:hasDuration": _duration(kept)
            if isinstance(kept, Duration)
            else {"@type": "dpv:Duration", "dct:title": kept_words(kept)},
            "dct:source": {"@id": processor.keeps.source},
            "dct:date": {"@type": "xsd:date", "@value": processor.keeps.as_of.isoformat()},
        },
    }


def _prohibition(policy: Policy, base: str, name: str) -> dict[str, Any]:
    never = policy.never[name]
    return {
        "@id": f"{base}#never.{name}",
        "@type": "dpv:Prohibition",
        "dct:title": never.label,
        "dct:description": list(never.covers),
        "dpv:hasProcess": [{"@type": "dpv:Process", "dct:title": verb, **_VERBS[verb]} for verb in never.not_],
    }


def _measure_names(policy: Policy) -> list[str]:
    return ["keys.encryption", "keys.lookup", "https", *(["edge"] if policy.security.edge else [])]


def _measures(policy: Policy, base: str) -> list[dict[str, Any]]:
    security = policy.security
    measures = [
        _measure(base, "keys.encryption", "dpv:EncryptionAtRest", security.keys.encryption),
        _measure(base, "keys.lookup", "dpv:HashMessageAuthenticationCode", security.keys.lookup),
        _measure(base, "https", "dpv:EncryptionInTransfer", f"TLS {security.https.minimum_tls}"),
    ]
    if security.edge:
        measures.append(_measure(base, "edge", "dpv:TechnicalMeasure", security.edge.runtime))
    logs = [
        {
            "@id": f"{base}#logging.{name}",
            "@type": "dpv:LoggingPolicy",
            "dct:title": name,
            "dct:description": list(stream),
        }
        for name, stream in policy.logging.items()
    ]
    return [*measures, *logs]


def _measure(base: str, name: str, term: str, title: str) -> dict[str, Any]:
    return {"@id": f"{base}#security.{name}", "@type": term, "dct:title": title}


def _duration(duration: Duration) -> dict[str, Any]:
    # XML Schema knows no weeks.
    text = _without_weeks(duration) if "W" in duration.text else duration.text
    return {"@type": "dpv:TemporalDuration", "dct:extent": {"@type": "xsd:duration", "@value": text}}


def _without_weeks(duration: Duration) -> str:
    months = f"{duration.months}M" if duration.months else ""
    seconds = f"T{duration.seconds}S" if duration.seconds else ""
    return f"P{months}{duration.days}D{seconds}"


def _ids(base: str, part: str, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"@id": f"{base}#{part}.{name}"} for name in names]
