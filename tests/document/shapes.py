"""What three communities ask of a file, written down as JSON Schemas of our own.

| what | source | as read on |
| --- | --- | --- |
| TILT | tilt-schema.json of Transparency-Information-Language/schema: required parts, types, lengths | 2026-11-23 |
| DEVICE_STORAGE | IAB Europe, Vendor Device Storage & Operational Disclosures 1.1 | 2026-11-23 |
| GPC | W3C Global Privacy Control, section 4: the support resource | 2026-11-23 |

None of them is in a package, and TILT's schema is under another licence than ours: these tables say the same in our
words, and refuse in addition every key that the source does not name.
"""

from typing import Any

Schema = dict[str, Any]


def _object(*, optional: Schema | None = None, **required: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Schema = {"type": "string", "minLength": 1}
_BOOLEAN: Schema = {"type": "boolean"}
_COUNTRY: Schema = {"type": "string", "minLength": 2, "maxLength": 2}
_ADDRESS: Schema = {"type": "string", "format": "uri", "pattern": "^https://"}
_EMAIL: Schema = {"type": "string", "format": "email", "pattern": "^[^@ ]+@[^@ ]+$"}
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

_RIGHT: dict[str, Schema] = {
    "available": _BOOLEAN,
    "description": _TEXT,
    "url": _ADDRESS,
    "email": _EMAIL,
    "identificationEvidences": _list(_TEXT),
}
_GUARANTEE = _object(available=_BOOLEAN, description=_TEXT)

_DISCLOSED = _object(
    _id=_TEXT,
    category=_TEXT,
    purposes=_list(_object(purpose=_TEXT, description=_TEXT)),
    legalBases=_list(_object(reference=_TEXT, description=_TEXT)),
    legitimateInterests=_list(_object(exists=_BOOLEAN, reasoning=_TEXT)),
    recipients=_list(_object(category=_TEXT, optional={"name": _TEXT, "country": _COUNTRY})),
    storage=_list(
        _object(
            temporal=_list(_object(description=_TEXT, ttl={"type": "string", "pattern": "^P[0-9A-Z]+$"})),
            purposeConditional=_list(_TEXT),
            legalBasisConditional=_list(_TEXT),
            aggregationFunction={"enum": ["max", "min", "sum", "avg"]},
        )
    ),
    nonDisclosure=_object(
        legalRequirement=_BOOLEAN, contractualRegulation=_BOOLEAN, obligationToProvide=_BOOLEAN, consequences=_TEXT
    ),
)

TILT = _object(
    meta=_object(
        _id=_TEXT,
        name=_TEXT,
        created=_DAY,
        modified=_DAY,
        version={"type": "integer", "minimum": 1},
        language={"type": "string", "pattern": "^[a-z]{2}$"},
        status={"enum": ["active", "inactive"]},
        url=_ADDRESS,
        _hash={"type": "string", "minLength": 64, "maxLength": 64},
        # The schema leaves room for more here; the version that people see has no other place.
        optional={"policyVersion": _TEXT},
    ),
    controller=_object(name=_TEXT, address=_TEXT, country=_COUNTRY, representative=_object(name=_TEXT, email=_EMAIL)),
    dataProtectionOfficer=_object(name=_TEXT, address=_TEXT, country=_COUNTRY, email=_EMAIL),
    dataDisclosed=_list(_DISCLOSED),
    thirdCountryTransfers=_list(
        _object(
            country=_COUNTRY,
            adequacyDecision=_GUARANTEE,
            appropriateGuarantees=_GUARANTEE,
            presenceOfEnforceableRightsAndEffectiveRemedies=_GUARANTEE,
            standardDataProtectionClause=_GUARANTEE,
        )
    ),
    accessAndDataPortability=_object(
        **_RIGHT,
        administrativeFee=_object(amount={"type": "number"}, currency={"type": "string", "pattern": "^[A-Z]{3}$"}),
        dataFormat=_TEXT,
    ),
    sources=_list(
        _object(
            _id=_TEXT,
            dataCategory=_TEXT,
            sources=_list(_object(description=_TEXT, url=_ADDRESS, publiclyAvailable=_BOOLEAN)),
        )
    ),
    rightToInformation=_object(**_RIGHT),
    rightToRectificationOrDeletion=_object(**_RIGHT),
    rightToDataPortability=_object(**_RIGHT),
    rightToWithdrawConsent=_object(**_RIGHT),
    rightToComplain=_object(
        **_RIGHT,
        supervisoryAuthority=_object(name=_TEXT, address=_TEXT, country=_COUNTRY, email=_TEXT, phone=_TEXT),
    ),
    automatedDecisionMaking=_object(inUse=_BOOLEAN, logicInvolved=_TEXT, scopeAndIntendedEffects=_TEXT),
    changesOfPurpose=_list(
        _object(
            description=_TEXT, affectedDataCategories=_list(_TEXT), plannedDateOfChange=_DAY, urlOfNewVersion=_ADDRESS
        )
    ),
)

# Purposes 1 to 11 of the Global Vendor List.
_PURPOSES: Schema = {**_list({"type": "integer", "minimum": 1, "maximum": 11}), "uniqueItems": True}
_DOMAIN: Schema = {"type": "string", "pattern": "^(\\*\\.)?[a-z0-9.-]+$"}
_DISCLOSURE = _object(
    identifier={"type": "string", "pattern": "[^*]"},
    type={"enum": ["cookie", "web", "app"]},
    maxAgeSeconds={"type": ["integer", "null"], "minimum": 0},
    domains={**_list(_DOMAIN), "minItems": 1},
    purposes=_PURPOSES,
    optional={"cookieRefresh": _BOOLEAN, "description": _TEXT, "optOut": _BOOLEAN},
)

DEVICE_STORAGE = _object(
    disclosures=_list(
        {
            **_DISCLOSURE,
            "if": {"properties": {"type": {"const": "cookie"}}},
            "then": {"required": ["cookieRefresh"], "properties": {"maxAgeSeconds": {"type": "integer"}}},
            "else": {"properties": {"maxAgeSeconds": {"type": "null"}}},
        }
    ),
    domains=_list(_object(domain=_DOMAIN, purposes=_PURPOSES, optional={"use": _TEXT})),
)

GPC = _object(gpc=_BOOLEAN, lastUpdate=_DAY)
