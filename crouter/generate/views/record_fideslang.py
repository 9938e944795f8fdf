"""The policy as a fideslang manifest: an organization, the systems and the dataset of the service."""

from typing import Any

from crouter.generate.views.record_facts import UseOfData, erasure_of
from crouter.plan.plan import Plan
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory, DataField, LegalBasis, TechnicalField
from crouter.policy.parts.parties import Processor

_BASES: dict[LegalBasis, str] = {
    "consent": "Consent",
    "contract": "Contract",
    "legal_obligation": "Legal obligations",
    "vital_interests": "Vital interests",
    "public_task": "Public interest",
    "legitimate_interests": "Legitimate interests",
}
_SUBJECTS = {"customer": ["customer"], "none": []}
# The full stop keeps these apart from the names of processors.
_SERVICE = "own.service"
_DATASET = "own.database"
_ORGANIZATION = "own.organization"
# What a processor receives that is no category of the database.
_PASSING = {"content": "user.content", "analytics": "user.behavior.browsing_history"}


def fideslang_manifest(plan: Plan) -> dict[str, Any]:
    """The manifest, ready to be written as JSON, which is YAML too."""
    policy = plan.policy
    return {
        "organization": [
            {
                "fides_key": _ORGANIZATION,
                "name": policy.controller.name,
                "description": policy.service.description,
                "controller": {
                    "name": policy.controller.name,
                    "address": policy.controller.office,
                    "email": policy.controller.contact,
                },
            }
        ],
        "system": [_service(policy), *(_party(policy, name) for name in policy.processors)],
        "dataset": [_dataset(plan)],
    }


def _service(policy: Policy) -> dict[str, Any]:
    use = UseOfData(policy)
    return {
        "fides_key": _SERVICE,
        "organization_fides_key": _ORGANIZATION,
        "name": policy.service.name,
        "description": policy.service.description,
        "system_type": "Service",
        "egress": [{"fides_key": name, "type": "system"} for name in policy.processors],
        "dataset_references": [_DATASET],
        "legal_name": policy.controller.name,
        # As fideslang orders them when it reads them.
        "privacy_declarations": sorted(
            (found for name in policy.purposes if (found := _declaration(policy, use, name)) is not None),
            key=lambda declaration: str(declaration["name"]),
        ),
    }


def _declaration(policy: Policy, use: UseOfData, name: str) -> dict[str, Any] | None:
    purpose = policy.purposes[name]
    entries = use.fields_for(name)
    if not entries:
        return None
    categories = dict.fromkeys(entry.category for entry in entries)
    receivers = list(dict.fromkeys(key for entry in entries for key in use.recipients_of(entry)))
    return {
        "name": purpose.label,
        "data_use": purpose.data_use,
        "data_categories": sorted({entry.field.data_category for entry in entries}),
        "data_subjects": sorted(
            {subject for category in categories for subject in _SUBJECTS[policy.data[category].subject]}
        ),
        "dataset_references": [_DATASET],
        "egress": receivers,
        "legal_basis_for_processing": _BASES[purpose.basis],
        "flexible_legal_basis_for_processing": False,
        "retention_period": "; ".join(words for category in categories for words in erasure_of(policy, category)),
        "data_shared_with_third_parties": bool(receivers),
        "third_parties": ", ".join(policy.processors[key].label for key in receivers) or None,
    }


def _party(policy: Policy, name: str) -> dict[str, Any]:
    party = policy.processors[name]
    categories = _received(policy, party)
    return {
        "fides_key": name,
        "organization_fides_key": _ORGANIZATION,
        "name": party.label,
        "description": party.does,
        "system_type": "Third Party",
        "privacy_policy": party.policy_url,
        "privacy_declarations": [
            {
                "name": policy.purposes[purpose].label,
                "data_use": policy.purposes[purpose].data_use,
                "data_categories": categories,
                "data_subjects": ["customer"],
                "legal_basis_for_processing": _BASES[policy.purposes[purpose].basis],
                "flexible_legal_basis_for_processing": False,
                "retention_period": str(party.keeps.model_dump(mode="json", by_alias=True)["for"]),
            }
            for purpose in party.purposes
        ],
    }


def _received(policy: Policy, party: Processor) -> list[str]:
    keys: set[str] = set()
    for path in party.receives:
        category, _, field = path.partition(".")
        if category not in policy.data:
            keys.add(_PASSING[category])
        elif field:
            keys.add(policy.data[category].fields[field].data_category)
        else:
            keys |= {entry.data_category for entry in policy.data[category].fields.values()}
    return sorted(keys)


def _dataset(plan: Plan) -> dict[str, Any]:
    return {
        "fides_key": _DATASET,
        "organization_fides_key": _ORGANIZATION,
        "name": f"{plan.policy.service.name} database",
        "description": plan.header,
        # fideslang sorts collections and fields by name when it reads them.
        "collections": [
            _collection(name, category, plan.policy) for name, category in sorted(plan.policy.data.items())
        ],
    }


def _collection(name: str, category: DataCategory, policy: Policy) -> dict[str, Any]:
    subjects = _SUBJECTS[category.subject]
    columns = [_field(key, field, subjects, policy) for key, field in category.fields.items()]
    columns += [_column(key, column) for key, column in category.technical.items()]
    return {
        "name": name,
        "description": f"{category.label}, recorded when {category.when}",
        "fields": sorted(columns, key=lambda column: str(column["name"])),
    }


def _field(name: str, field: DataField, subjects: list[str], policy: Policy) -> dict[str, Any]:
    return {
        "name": name,
        "description": field.label,
        "data_categories": [field.data_category],
        "data_uses": sorted({policy.purposes[purpose].data_use for purpose in field.purposes}),
        "data_subjects": subjects,
    }


def _column(name: str, column: TechnicalField) -> dict[str, Any]:
    return {"name": name, "description": column.why, "data_categories": ["system.operations"]}
