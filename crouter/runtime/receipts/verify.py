"""Verifies a receipt without its service: who signed it, what it says, and whether its cost follows from its rates.

The cost is computed anew from what stands in the receipt, by nothing but multiplying and adding; the price book is
not asked. Reads no file and opens no connection.
"""

from dataclasses import dataclass
from typing import Any, Final

from crouter.runtime.pricing.lines import KINDS
from crouter.runtime.receipts.claims import CURRENCY, KIND, PATHS, leaves
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import read_object
from crouter.runtime.receipts.jws import verified
from crouter.runtime.receipts.keys import KeySet

_TEXTS: Final = ("iss", "jti", "currency")
_COUNTS: Final = ("iat", "cost_nanousd")
_CHARGED: Final = tuple(PATHS[kind] for kind in KINDS)
_OPTIONAL_TEXTS: Final = ("occurred_at", "model", "service_tier", "price_version", "policy_digest")


@dataclass(frozen=True, slots=True)
class ChargedCount:
    """One line of the cost: so many of one count at one rate."""

    count: str
    quantity: int
    nanousd_each: int


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """A receipt that its service signed. `claims` are all of them, checked in form.

    `recomputed_nanousd` is the cost that follows from the lines, None where the receipt has no lines. `differences`
    are the counts that were charged in another quantity than they were reported in: path, reported, charged.
    """

    claims: dict[str, Any]
    charged: tuple[ChargedCount, ...]
    recomputed_nanousd: int | None
    differences: tuple[tuple[str, int, int], ...]

    @property
    def cost_agrees(self) -> bool:
        """Whether nothing speaks against the cost that the receipt states."""
        return self.recomputed_nanousd in (None, self.claims["cost_nanousd"])


def verify(text: str, key_set: KeySet, issuer: str = "") -> VerifiedReceipt:
    """A receipt in compact form, signed by a key of the set for `issuer`, or else for the one that the set names.

    Raises ReceiptRefusedError.
    """
    expected = issuer or key_set.issuer
    if not expected:
        raise ReceiptRefusedError("the key set does not say whose receipts it is for, and no issuer was given")
    claims = read_object(verified(text, key_set.keys, KIND), "what it says")
    _require_form(claims)
    if claims["iss"] != expected:
        raise ReceiptRefusedError("it is not of the issuer whose receipts these keys are for")
    charged = _charged(claims["charged"]) if "charged" in claims else None
    recomputed = None if charged is None else sum(line.quantity * line.nanousd_each for line in charged)
    differences = _differences(claims["usage"], charged) if charged is not None else ()
    return VerifiedReceipt(claims, charged or (), recomputed, differences)


def _require_form(claims: dict[str, Any]) -> None:
    is_form = (
        all(isinstance(claims.get(name), str) for name in _TEXTS)
        and all(isinstance(claims.get(name, ""), str) for name in _OPTIONAL_TEXTS)
        and all(_is_count(claims.get(name)) for name in _COUNTS)
        and claims["currency"] == CURRENCY
        and isinstance(claims.get("usage"), dict)
        and all(_is_count(value) for _, value in leaves(claims["usage"]))
        and isinstance(further := claims.get("further_counts", {}), dict)
        and all(map(_is_count, further.values()))
    )
    if not is_form:
        raise _unknown_form()


def _charged(value: object) -> tuple[ChargedCount, ...]:
    if not isinstance(value, list):
        raise _unknown_form()
    found = []
    for line in value:
        if not isinstance(line, dict) or line.keys() != {"count", "quantity", "nanousd_each"}:
            raise _unknown_form()
        if line["count"] not in _CHARGED or not (_is_count(line["quantity"]) and _is_count(line["nanousd_each"])):
            raise _unknown_form()
        found.append(ChargedCount(**line))
    return tuple(found)


def _differences(usage: dict[str, Any], charged: tuple[ChargedCount, ...]) -> tuple[tuple[str, int, int], ...]:
    quantities: dict[str, int] = {}
    for line in charged:
        quantities[line.count] = quantities.get(line.count, 0) + line.quantity
    reported = dict(leaves(usage))
    pairs = ((path, reported.get(path, 0), quantities.get(path, 0)) for path in _CHARGED)
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _unknown_form() -> ReceiptRefusedError:
    return ReceiptRefusedError("it is signed, but not in a form that this version of crouter knows")
