"""The receipt of a deletion: what was deleted where and when, and what a law keeps, signed. It names nobody.

Its kind is its own, so that no receipt of a request can be taken for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from crouter.contract.deployment import Deployment
from crouter.runtime.erasure.deletions import deletion_rule
from crouter.runtime.erasure.records import DeletionRecord
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import compact, read_object
from crouter.runtime.receipts.jws import verified
from crouter.runtime.receipts.keys import KeySet, SigningKeys

KIND: Final = "crouter-deletion+jwt"
_TEXTS: Final = ("iss", "jti", "asked_at", "erased_at", "ended_at", "policy_digest")


@dataclass(frozen=True, slots=True)
class VerifiedDeletion:
    """A receipt of a deletion that its service signed. `claims` are checked in form."""

    claims: dict[str, Any]


def deletion_claims(deployment: Deployment, deletion: DeletionRecord) -> dict[str, Any]:
    """What the receipt of a deletion that has ended says. The same whenever it is asked for."""
    assert deletion.state == "done", "what is not finished has no receipt"
    assert deletion.erased_at is not None
    assert deletion.ended_at is not None
    rule = deletion_rule(deployment)
    claims: dict[str, Any] = {
        "iss": deployment.identity.url,
        "jti": str(deletion.id),
        "iat": int(deletion.ended_at.timestamp()),
        "asked_at": _told(deletion.asked_at),
        "erased_at": _told(deletion.erased_at),
        "ended_at": _told(deletion.ended_at),
        "erased": [rule.owner, *rule.records],
        "processors": [
            {"name": step.processor, "state": step.state, "at": _told(step.ended_at or deletion.ended_at)}
            for step in deletion.steps
        ],
        "policy_digest": deployment.policy_digest,
    }
    if deletion.kept_until is not None:
        claims["kept"] = [{"of": hold.record, "kinds": list(hold.kinds), "law": hold.law} for hold in rule.holds]
        claims["kept_until"] = _told(deletion.kept_until)
    return claims


def signed_receipt(deployment: Deployment, deletion: DeletionRecord, keys: SigningKeys) -> str:
    """The receipt in compact form."""
    return keys.sign(compact(deletion_claims(deployment, deletion)), KIND)


def verify_deletion(text: str, key_set: KeySet, issuer: str = "") -> VerifiedDeletion:
    """A receipt in compact form, signed by a key of the set for `issuer`, or else for the one that the set names.

    Raises ReceiptRefusedError.
    """
    expected = issuer or key_set.issuer
    if not expected:
        raise ReceiptRefusedError("the key set does not say whose receipts it is for, and no issuer was given")
    claims = read_object(verified(text, key_set.keys, KIND), "what it says")
    if not _is_form(claims):
        raise ReceiptRefusedError("it is signed, but not in a form that this version of crouter knows")
    if claims["iss"] != expected:
        raise ReceiptRefusedError("it is not of the issuer whose receipts these keys are for")
    return VerifiedDeletion(claims)


def _is_form(claims: Mapping[str, Any]) -> bool:
    processors, erased = claims.get("processors"), claims.get("erased")
    return (
        all(isinstance(claims.get(name), str) for name in _TEXTS)
        and isinstance(claims.get("kept_until", ""), str)
        and isinstance(erased, list)
        and all(isinstance(name, str) for name in erased)
        and isinstance(processors, list)
        and all(
            isinstance(step, dict) and all(isinstance(step.get(name), str) for name in ("name", "state", "at"))
            for step in processors
        )
    )


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
