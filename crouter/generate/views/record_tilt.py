"""The policy in the Transparency Information Language (Grünewald and Pallas, 2021).

TILT's schema requires parts that policy.yaml does not declare. They are present and say so: a country
is ZZ, a text is MISSING, and a yes or no is no with MISSING beside it.
"""

from typing import Any

from crouter.generate.views.record_facts import (
    BASIS_LETTERS,
    MISSING,
    FieldOfCategory,
    UseOfData,
    all_fields,
    basis_article,
)
from crouter.plan.plan import Plan
from crouter.plan.words import duration_words
from crouter.policy.model import Policy
from crouter.policy.parts.parties import Processor
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive, Right

# ISO 3166-1 keeps this code free for users; here it stands for a country that is not declared.
_COUNTRY_UNKNOWN = "ZZ"


def tilt_document(plan: Plan) -> dict[str, Any]:
    """The TILT document with every part that its schema requires."""
    policy, use = plan.policy, UseOfData(plan.policy)
    return {
        "meta": _meta(plan),
        "controller": {
            "name": policy.controller.name,
            "address": policy.controller.office,
            "country": _COUNTRY_UNKNOWN,
            "representative": {"name": MISSING, "email": policy.controller.contact},
        },
        "dataProtectionOfficer": {
            "name": MISSING,
            "address": MISSING,
            "country": _COUNTRY_UNKNOWN,
            "email": policy.controller.contact,
        },
        "dataDisclosed": [_disclosed(policy, use, entry) for entry in all_fields(policy)],
        "thirdCountryTransfers": [_transfers()],
        "accessAndDataPortability": _access(policy),
        "sources": [_sources(policy, entry) for entry in all_fields(policy)],
        "rightToInformation": _right(policy, 15),
        "rightToRectificationOrDeletion": _right(policy, 16, 17),
        "rightToDataPortability": _right(policy, 20),
        "rightToWithdrawConsent": _right(policy, 7),
        "rightToComplain": {**_right(policy, 77), "supervisoryAuthority": _authority()},
        "automatedDecisionMaking": {"inUse": False, "logicInvolved": MISSING, "scopeAndIntendedEffects": MISSING},
        "changesOfPurpose": [],
    }


def _meta(plan: Plan) -> dict[str, Any]:
    day = plan.policy.policy.effective.isoformat()
    return {
        "_id": plan.digest,
        "name": plan.policy.controller.name,
        "created": day,
        "modified": day,
        "version": plan.policy.language,
        "policyVersion": plan.policy.policy.version,
        "language": plan.policy.policy.locale,
        "status": "active",
        "url": f"{plan.policy.service.url.rstrip('/')}/privacy",
        "_hash": plan.digest,
    }


def _disclosed(policy: Policy, use: UseOfData, entry: FieldOfCategory) -> dict[str, Any]:
    reasons = [policy.purposes[name] for name in entry.field.purposes]
    bases = dict.fromkeys(reason.basis for reason in reasons)
    receivers = [policy.processors[name] for name in use.recipients_of(entry)]
    return {
        "_id": f"data.{entry.category}.fields.{entry.name}",
        "category": entry.field.label,
        "purposes": [{"purpose": reason.label, "description": reason.data_use} for reason in reasons],
        "legalBases": [
            {"reference": f"GDPR-6-1-{BASIS_LETTERS[basis]}", "description": basis_article(basis)} for basis in bases
        ],
        "legitimateInterests": [{"exists": "legitimate_interests" in bases, "reasoning": MISSING}],
        "recipients": [_recipient(receiver) for receiver in receivers],
        "storage": [_storage(policy, entry.category)],
        "nonDisclosure": {
            "legalRequirement": "legal_obligation" in bases,
            "contractualRegulation": "contract" in bases,
            "obligationToProvide": False,
            "consequences": MISSING,
        },
    }


def _recipient(processor: Processor) -> dict[str, Any]:
    return {"name": processor.label, "category": processor.does, "country": _COUNTRY_UNKNOWN}


def _storage(policy: Policy, category: str) -> dict[str, Any]:
    temporal: list[dict[str, str]] = []
    conditions: list[str] = []
    laws: list[str] = []
    for rule in policy.retention.values():
        if category not in rule.of:
            continue
        if isinstance(rule, KeepFor):
            temporal.append({"description": f"from {rule.from_}", "ttl": rule.keep.text})
        elif isinstance(rule, KeepWhileActive):
            conditions.append("as long as the account is active")
        else:
            temporal.append({"description": f"after {rule.event}", "ttl": rule.within.text})
            laws += _laws(rule, category)
    return {
        "temporal": temporal,
        "purposeConditional": conditions,
        "legalBasisConditional": laws,
        "aggregationFunction": "min" if temporal else "max",
    }


def _laws(rule: DeleteAfter, category: str) -> list[str]:
    return [
        f"{exception.law}: {duration_words(exception.keep)}"
        for exception in rule.exceptions
        if exception.of == category
    ]


def _sources(policy: Policy, entry: FieldOfCategory) -> dict[str, Any]:
    category = policy.data[entry.category]
    source = policy.sources[entry.field.source or category.source]
    return {
        "_id": f"data.{entry.category}.fields.{entry.name}.source",
        "dataCategory": entry.field.label,
        "sources": [
            {
                "description": f"{source.label}, when {category.when}",
                "url": policy.service.url,
                "publiclyAvailable": False,
            }
        ],
    }


def _access(policy: Policy) -> dict[str, Any]:
    formats = [name for right in _rights(policy, 15) for name in right.formats]
    return {
        **_right(policy, 15),
        # GDPR Article 12(5): free of charge.
        "administrativeFee": {"amount": 0, "currency": "EUR"},
        "dataFormat": ", ".join(formats) or MISSING,
    }


def _right(policy: Policy, *articles: int) -> dict[str, Any]:
    rights = _rights(policy, *articles)
    return {
        "available": bool(rights),
        "description": "; ".join(right.label for right in rights) or MISSING,
        "url": policy.service.url,
        "email": policy.controller.contact,
        "identificationEvidences": [],
    }


def _rights(policy: Policy, *articles: int) -> list[Right]:
    return [right for right in policy.rights.values() if right.article in articles]


def _transfers() -> dict[str, Any]:
    unsaid = {"available": False, "description": MISSING}
    return {
        "country": _COUNTRY_UNKNOWN,
        "adequacyDecision": unsaid,
        "appropriateGuarantees": unsaid,
        "presenceOfEnforceableRightsAndEffectiveRemedies": unsaid,
        "standardDataProtectionClause": unsaid,
    }


def _authority() -> dict[str, str]:
    return {"name": MISSING, "address": MISSING, "country": _COUNTRY_UNKNOWN, "email": MISSING, "phone": MISSING}
