"""One Stripe account: its objects, and what happens to them. Every change makes the events that Stripe makes.

Tests play the payer, the bank and the operator with `pay`, `decline`, `expire`, `settle`, `dispute`, `close_dispute`,
`settle_refund`. Knows no HTTP; `server.py` does.
"""

import copy
import time
from collections.abc import Callable
from typing import Any

from tests.contract.stripe import shapes
from tests.contract.stripe.shapes import Thing

DISPUTE_FEE = 15_00
METHODS = {"pm_card_visa": "succeeds", "pm_declined": "card_declined", "pm_confirm": "authentication_required"}


class RefusedError(Exception):
    """What the API answers with a status and an error."""

    def __init__(self, status: int, body: Thing) -> None:
        super().__init__(body["error"].get("code"))
        self.status = status
        self.body = body


def missing(kind: str, id_: str) -> RefusedError:
    return RefusedError(
        404, shapes.error("invalid_request_error", f"No such {kind}: '{id_}'", "resource_missing", param="id")
    )


def fee_of(amount: int) -> int:
    """2.9 % and 30 cents, as Stripe rounds it."""
    return (amount * 29 + 500) // 1000 + 30


class Account:
    """All objects by their kind and id, oldest first."""

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self.url = ""
        self.things: dict[str, dict[str, Thing]] = {}
        self.events: list[Thing] = []
        self.told: Callable[[Thing], None] = lambda event: None
        self.refunds_wait = False
        """Whether refunds stay pending until `settle_refund`."""

    def keep(self, kind: str, thing: Thing) -> Thing:
        self.things.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def find(self, kind: str, id_: str) -> Thing:
        try:
            return self.things[kind][id_]
        except KeyError:
            raise missing(kind, id_) from None

    def all(self, kind: str) -> list[Thing]:
        return list(self.things.get(kind, {}).values())

    def tell(self, type_: str, of: Thing) -> Thing:
        """An event about an object as it is now."""
        event = shapes.event(type_, copy.deepcopy(of), live=self.live)
        self.events.append(event)
        self.told(event)
        return event

    # What the API does.

    def make_customer(self, params: Thing) -> Thing:
        return self.keep("customer", shapes.customer(params, live=self.live))

    def delete_customer(self, id_: str) -> Thing:
        self.find("customer", id_)
        del self.things["customer"][id_]
        return {"id": id_, "object": "customer", "deleted": True}

    def make_session(self, params: Thing) -> Thing:
        if params.get("mode") != "payment" or "line_items" not in params or "success_url" not in params:
            raise RefusedError(
                400, shapes.error("invalid_request_error", "Missing required param.", "parameter_missing")
            )
        if customer := params.get("customer"):
            self.find("customer", customer)
        expires = int(params.get("expires_at", time.time() + 3600))
        if not 1800 - 5 <= expires - time.time() <= 86400 + 5:
            message = (
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
            )
            raise RefusedError(400, shapes.error("invalid_request_error", message, param="expires_at"))
        made = shapes.session(params, self.url, live=self.live)
        made["_intent"] = params.get("payment_intent_data", {})
        return self.keep("session", made)

    def make_intent(self, params: Thing) -> Thing:
        intent = self.keep("intent", shapes.intent(params, live=self.live))
        if params.get("confirm") == "true":
            fate = METHODS.get(str(params.get("payment_method")), "succeeds")
            if fate != "succeeds":
                self._failed(intent, fate)
                raise RefusedError(
                    402,
                    shapes.error(
                        "card_error",
                        "Your card was declined.",
                        fate,
                        payment_intent=intent,
                        decline_code="generic_decline",
                    ),
                )
            self._succeeded(intent)
        return intent

    def make_refund(self, params: Thing) -> Thing:
        intent = self.find("intent", str(params.get("payment_intent")))
        charge = self.find("charge", intent["latest_charge"])
        left = charge["amount"] - charge["amount_refunded"]
        amount = int(params.get("amount", left))
        if charge["disputed"]:
            raise RefusedError(
                400, shapes.error("invalid_request_error", "This charge is disputed.", "charge_disputed")
            )
        if left == 0:
            raise RefusedError(
                400, shapes.error("invalid_request_error", "Already refunded.", "charge_already_refunded")
            )
        if amount > left:
            message = "Refund amount is greater than unrefunded amount on charge."
            raise RefusedError(400, shapes.error("invalid_request_error", message, param="amount"))
        refund = self.keep("refund", shapes.refund(intent, amount, params))
        charge["amount_refunded"] += amount
        self.tell("refund.created", refund)
        if not self.refunds_wait:
            self.settle_refund(refund["id"])
        return refund

    # What others do.

    def pay(self, session_id: str, *, method: str = "pm_card_visa", delayed: bool = False) -> Thing:
        """The payer pays on the page. `delayed` is a way to pay whose money comes days later: see `settle`."""
        session = self.find("session", session_id)
        if session["status"] != "open":
            raise RefusedError(400, shapes.error("invalid_request_error", "This page is not open any more."))
        given = session["_intent"]
        params = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "payment_method": method,
            **given,
        }
        intent = self.keep("intent", shapes.intent(params, live=self.live))
        session |= {"status": "complete", "payment_intent": intent["id"], "url": None}
        session["customer_details"] = {"email": "payer@example.org", "name": "CANARY CARDHOLDER", "phone": None}
        if delayed:
            intent["status"] = "processing"
            self.tell("checkout.session.completed", _shown(session))
            return intent
        self._succeeded(intent)
        self._paid(session)
        self.tell("checkout.session.completed", _shown(session))
        return intent

    def settle(self, session_id: str, *, succeeded: bool) -> None:
        """The money of a delayed payment comes, or does not."""
        session = self.find("session", session_id)
        intent = self.find("intent", session["payment_intent"])
        if succeeded:
            self._succeeded(intent)
            self._paid(session)
            self.tell("checkout.session.async_payment_succeeded", _shown(session))
        else:
            self._failed(intent, "payment_intent_payment_attempt_failed")
            self.tell("checkout.session.async_payment_failed", _shown(session))

    def expire(self, session_id: str) -> None:
        session = self.find("session", session_id)
        session |= {"status": "expired", "url": None}
        self.tell("checkout.session.expired", _shown(session))

    def settle_refund(self, refund_id: str, *, failed: bool = False) -> None:
        refund = self.find("refund", refund_id)
        refund["status"] = "failed" if failed else "succeeded"
        if failed:
            self._charge_of(refund)["amount_refunded"] -= refund["amount"]
            moved = shapes.transaction("refund_failure", "refund_failure", refund["amount"], 0, refund_id)
        else:
            moved = shapes.transaction("refund", "refund", -refund["amount"], 0, refund_id)
        refund["balance_transaction"] = self.keep("transaction", moved)["id"]
        self.tell("refund.updated", refund)
        if failed:
            self.tell("refund.failed", refund)

    def dispute(self, intent_id: str, amount: int | None = None) -> Thing:
        """The payer's bank takes the money back, and Stripe its fee."""
        intent = self.find("intent", intent_id)
        dispute = self.keep("dispute", shapes.dispute(intent, amount or intent["amount"], "needs_response"))
        self.find("charge", intent["latest_charge"])["disputed"] = True
        self.tell("charge.dispute.created", dispute)
        moved = shapes.transaction("adjustment", "dispute", -dispute["amount"], DISPUTE_FEE, dispute["id"])
        dispute["balance_transactions"].append(self.keep("transaction", moved))
        self.tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        dispute = self.find("dispute", dispute_id)
        dispute["status"] = "won" if won else "lost"
        if won:
            moved = shapes.transaction("adjustment", "dispute_reversal", dispute["amount"], -DISPUTE_FEE, dispute["id"])
            dispute["balance_transactions"].append(self.keep("transaction", moved))
            self._charge_of(dispute)["disputed"] = False
            self.tell("charge.dispute.funds_reinstated", dispute)
        self.tell("charge.dispute.closed", dispute)

    def balance(self) -> int:
        """What Stripe owes the operator, in cents."""
        return sum(moved["net"] for moved in self.all("transaction"))

    def _succeeded(self, intent: Thing) -> None:
        charge = self.keep("charge", shapes.charge(intent, None, paid=True))
        moved = shapes.transaction("charge", "charge", intent["amount"], fee_of(intent["amount"]), charge["id"])
        charge["balance_transaction"] = self.keep("transaction", moved)["id"]
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
        self.tell("payment_intent.succeeded", intent)
        self.tell("charge.succeeded", charge)

    def _failed(self, intent: Thing, code: str) -> None:
        intent |= {"status": "requires_payment_method", "last_payment_error": {"code": code, "type": "card_error"}}
        self.tell("payment_intent.payment_failed", intent)

    def _paid(self, session: Thing) -> None:
        session["payment_status"] = "paid"
        if session["invoice_creation"]["enabled"]:
            number = f"CRO-{len(self.all('invoice')) + 1:04d}"
            session["invoice"] = self.keep("invoice", shapes.invoice(session, self.url, number))["id"]

    def _charge_of(self, thing: Thing) -> Thing:
        return self.find("charge", thing["charge"])


def _shown(session: Thing) -> dict[str, Any]:
    return {name: value for name, value in session.items() if not name.startswith("_")}
