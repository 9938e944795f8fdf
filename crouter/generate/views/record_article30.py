"""The record of processing activities that GDPR Article 30(1) asks of a controller."""

from typing import Any

from crouter.generate.views.record_facts import (
    MISSING,
    FieldOfCategory,
    UseOfData,
    basis_article,
    disclosed,
    erasure_of,
    in_one_line,
    kept_words,
)
from crouter.plan.plan import Plan
from crouter.plan.worst_case import worst_case
from crouter.policy.model import Policy
from crouter.policy.parts.base import Part
from crouter.policy.parts.promises import KeepFor


def processing_record(plan: Plan) -> dict[str, Any]:
    """The whole record, with the letters of Article 30(1) where it answers one."""
    policy, use = plan.policy, UseOfData(plan.policy)
    return {
        "generated": plan.header,
        "policy_digest": plan.digest,
        "record": "GDPR Article 30(1)",
        "profiles": list(policy.policy.profiles),
        "policy": {
            "title": policy.policy.title,
            "version": policy.policy.version,
            "effective": policy.policy.effective.isoformat(),
            "locale": policy.policy.locale,
            "language": policy.language,
            "changes": _part(policy.policy.changes),
        },
        "service": _part(policy.service),
        "controller": {
            "name": policy.controller.name,
            "contact": policy.controller.contact,
            "office": policy.controller.office,
            **{
                name: disclosed(policy, name)
                for name in ("joint_controller", "representative", "data_protection_officer")
            },
        },
        "processing": [_processing(policy, use, name) for name in policy.purposes],
        "sources": {name: _part(source) for name, source in policy.sources.items()},
        "categories": [_category(policy, name) for name in policy.data],
        "never": {name: _part(never) for name, never in policy.never.items()},
        "recipients": [_recipient(policy, name) for name in policy.processors],
        "transfers_to_third_countries": disclosed(policy, "transfers"),
        "processing_agreements": disclosed(policy, "processing_agreements"),
        "erasure": {name: _part(rule) for name, rule in policy.retention.items()},
        "erasure_at_worst": {
            name: _at_worst(policy, rule) for name, rule in policy.retention.items() if isinstance(rule, KeepFor)
        },
        "measures": _measures(policy),
        "rights": {name: _part(right) for name, right in policy.rights.items()},
        "requests": _part(policy.requests),
        "disclosures": _part(policy.disclosures) if policy.disclosures else MISSING,
    }


def processing_rows(plan: Plan) -> list[dict[str, str]]:
    """One row for each purpose and each thing that is used for it."""
    policy, use = plan.policy, UseOfData(plan.policy)
    rows = []
    for name, purpose in policy.purposes.items():
        shared = {
            "controller": policy.controller.name,
            "contact": policy.controller.contact,
            "purpose": purpose.label,
            "legal_basis": basis_article(purpose.basis),
            "data_use": purpose.data_use,
        }
        entries = use.fields_for(name)
        rows += [{**shared, **_row(policy, use, entry)} for entry in entries]
        if not entries:
            rows.append({**shared, **_row_without_data(policy, name)})
    return rows


def _row(policy: Policy, use: UseOfData, entry: FieldOfCategory) -> dict[str, str]:
    category = policy.data[entry.category]
    return {
        "subject": category.subject,
        "category": category.label,
        "data": entry.field.label,
        "data_category": entry.field.data_category,
        "source": policy.sources[entry.field.source or category.source].label,
        "recipients": "; ".join(policy.processors[name].label for name in use.recipients_of(entry)),
        "third_countries": in_one_line(disclosed(policy, "transfers")),
        "erasure": "; ".join(erasure_of(policy, entry.category)),
    }


def _row_without_data(policy: Policy, purpose: str) -> dict[str, str]:
    # What is processed for such a purpose is content in transit, analytics events or what a browser keeps.
    processors = [processor for processor in policy.processors.values() if purpose in processor.purposes]
    kept = [name for name, cookie in policy.cookies.items() if cookie.purpose == purpose]
    kept += [name for name, key in policy.storage.items() if key.purpose == purpose]
    received = dict.fromkeys(item for processor in processors for item in processor.receives)
    return {
        "subject": "customer",
        "category": "; ".join(received),
        "data": "; ".join(kept),
        "data_category": "",
        "source": "",
        "recipients": "; ".join(processor.label for processor in processors),
        "third_countries": in_one_line(disclosed(policy, "transfers")),
        "erasure": "; ".join(f"{processor.label}: {kept_words(processor.keeps.for_)}" for processor in processors),
    }


def _processing(policy: Policy, use: UseOfData, name: str) -> dict[str, Any]:
    purpose = policy.purposes[name]
    entries = use.fields_for(name)
    categories = list(dict.fromkeys(entry.category for entry in entries))
    processors = [key for key, processor in policy.processors.items() if name in processor.purposes]
    return {
        "purpose": name,
        "label": purpose.label,
        "legal_basis": {"basis": purpose.basis, "article": basis_article(purpose.basis)},
        "data_use": purpose.data_use,
        "dpv": purpose.dpv,
        "subjects": list(dict.fromkeys(policy.data[category].subject for category in categories)),
        "data": [entry.path for entry in entries],
        "recipients": list(
            dict.fromkeys([*processors, *(key for entry in entries for key in use.recipients_of(entry))])
        ),
        "transfers_to_third_countries": disclosed(policy, "transfers"),
        "erasure": {category: erasure_of(policy, category) for category in categories},
        "cookies": [key for key, cookie in policy.cookies.items() if cookie.purpose == name],
        "storage": [key for key, entry in policy.storage.items() if entry.purpose == name],
    }


def _category(policy: Policy, name: str) -> dict[str, Any]:
    category = policy.data[name]
    return {
        "category": name,
        "label": category.label,
        "when": category.when,
        "subject": category.subject,
        "owner": category.owner,
        "source": {"name": category.source, **_part(policy.sources[category.source])},
        "fields": {
            key: {
                **_part(field),
                "source": {
                    "name": field.source or category.source,
                    **_part(policy.sources[field.source or category.source]),
                },
            }
            for key, field in category.fields.items()
        },
        "technical": {key: _part(column) for key, column in category.technical.items()},
        "fold": _part(category.fold) if category.fold else None,
        "erasure": erasure_of(policy, name),
    }


def _recipient(policy: Policy, name: str) -> dict[str, Any]:
    processor = policy.processors[name]
    return {
        "processor": name,
        **_part(processor),
        "keeps": {**_part(processor.keeps), "declared_by": processor.label},
        "third_country": _about(policy, name, "transfers"),
        "processing_agreement": _about(policy, name, "processing_agreements"),
    }


def _at_worst(policy: Policy, rule: KeepFor) -> dict[str, Any]:
    """How long after its period something can still be there, in seconds; a month counts as 31 days."""
    longest = worst_case(policy, rule)
    places = {"row": longest.row, "partition": longest.partition, "backups": longest.backups}
    return {
        name: {"duration": duration.text, "seconds": duration.seconds_max}
        for name, duration in places.items()
        if duration is not None
    }


def _about(policy: Policy, name: str, key: str) -> str:
    """What is disclosed about one processor: the entries that name it, or `none` for all."""
    said = disclosed(policy, key)
    if isinstance(said, str):
        return said
    label = policy.processors[name].label
    return "; ".join(entry for entry in said if label in entry) or MISSING


def _measures(policy: Policy) -> dict[str, Any]:
    return {
        **_part(policy.security),
        "request_path": _part(policy.proxy),
        "logging": {name: dict(stream) for name, stream in policy.logging.items()},
        "metrics": {name: _part(metric) for name, metric in policy.metrics.items()},
        "cookies": {name: _part(cookie) for name, cookie in policy.cookies.items()},
        "storage": {name: _part(entry) for name, entry in policy.storage.items()},
        "consent": _part(policy.consent),
        "analytics": _part(policy.analytics) if policy.analytics else None,
    }


def _part(part: Part) -> dict[str, Any]:
    """A part as it is declared, what was left out being left out."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)
