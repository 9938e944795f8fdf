"""What Stripe's objects look like, as its API reference and the SDK's types have them (version 2026-10-28.endive).

Fields that neither we nor the SDK nor the CLI look at are left out or empty. Leaves out what happens to them.
"""

import secrets
import time
from typing import Any

API_VERSION = "2026-10-28.endive"
Thing = dict[str, Any]


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def customer(params: Thing, *, live: bool) -> Thing:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "created": int(time.time()),
        "email": params.get("email"),
        "name": params.get("name"),
        "description": params.get("description"),
        "metadata": params.get("metadata", {}),
        "livemode": live,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "invoice_prefix": secrets.token_hex(4).upper(),
    }


def session(params: Thing, url: str, *, live: bool) -> Thing:
    lines = list(params["line_items"])
    total = sum(int(line["price_data"]["unit_amount"]) * int(line.get("quantity", 1)) for line in lines)
    id_ = new_id("cs_live" if live else "cs_test")
    return {
        "id": id_,
        "object": "checkout.session",
        "created": int(time.time()),
        "expires_at": int(params.get("expires_at", time.time() + 86400)),
        "mode": params["mode"],
        "status": "open",
        "payment_status": "unpaid",
        "amount_subtotal": total,
        "amount_total": total,
        "currency": lines[0]["price_data"]["currency"],
        "customer": params.get("customer"),
        "customer_email": params.get("customer_email"),
        "customer_details": None,
        "client_reference_id": params.get("client_reference_id"),
        "metadata": params.get("metadata", {}),
        "payment_intent": None,
        "invoice": None,
        "invoice_creation": {"enabled": params.get("invoice_creation", {}).get("enabled") == "true"},
        "success_url": params["success_url"],
        "cancel_url": params.get("cancel_url"),
        "url": f"{url}/pay/{id_}",
        "livemode": live,
        "payment_method_types": ["card"],
    }


def intent(params: Thing, *, live: bool) -> Thing:
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "created": int(time.time()),
        "amount": int(params["amount"]),
        "amount_received": 0,
        "amount_capturable": 0,
        "currency": params["currency"],
        "customer": params.get("customer"),
        "description": params.get("description"),
        "latest_charge": None,
        "metadata": params.get("metadata", {}),
        "payment_method": params.get("payment_method"),
        "setup_future_usage": params.get("setup_future_usage"),
        "status": "requires_payment_method",
        "last_payment_error": None,
        "livemode": live,
    }


def charge(of: Thing, transaction: str | None, *, paid: bool) -> Thing:
    """A charge says of a card what may be shown: its brand, its last digits, when it ends."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "created": int(time.time()),
        "amount": of["amount"],
        "amount_refunded": 0,
        "balance_transaction": transaction,
        "billing_details": {"email": None, "name": "CANARY CARDHOLDER", "address": {"postal_code": "90210"}},
        "captured": paid,
        "currency": of["currency"],
        "customer": of["customer"],
        "disputed": False,
        "livemode": of["livemode"],
        "metadata": dict(of["metadata"]),
        "outcome": {"network_status": "approved_by_network", "type": "authorized"},
        "paid": paid,
        "payment_intent": of["id"],
        "payment_method": of["payment_method"],
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034, "fingerprint": "CANARYPRINT"},
        },
        "refunded": False,
        "status": "succeeded" if paid else "failed",
    }


def transaction(type_: str, category: str, amount: int, fee: int, source: str) -> Thing:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": int(time.time()) + 172800,
        "balance_type": "payments",
        "created": int(time.time()),
        "currency": "usd",
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": "usd", "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "pending",
        "type": type_,
    }


def invoice(of: Thing, url: str, number: str) -> Thing:
    id_ = new_id("in")
    return {
        "id": id_,
        "object": "invoice",
        "created": int(time.time()),
        "currency": of["currency"],
        "customer": of["customer"],
        "hosted_invoice_url": f"{url}/invoices/{id_}",
        "invoice_pdf": f"{url}/invoices/{id_}/pdf",
        "livemode": of["livemode"],
        "metadata": {},
        "number": number,
        "status": "paid",
        "total": of["amount_total"],
        "amount_paid": of["amount_total"],
        "amount_due": of["amount_total"],
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{id_}/lines"},
    }


def refund(of: Thing, amount: int, params: Thing) -> Thing:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of["latest_charge"],
        "created": int(time.time()),
        "currency": of["currency"],
        "metadata": params.get("metadata", {}),
        "payment_intent": of["id"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "status": "pending",
    }


def dispute(of: Thing, amount: int, status: str) -> Thing:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of["latest_charge"],
        "created": int(time.time()),
        "currency": of["currency"],
        "evidence": {},
        "evidence_details": {"due_by": int(time.time()) + 604800, "has_evidence": False, "submission_count": 0},
        "is_charge_refundable": False,
        "livemode": of["livemode"],
        "metadata": {},
        "payment_intent": of["id"],
        "reason": "fraudulent",
        "status": status,
    }


def event(type_: str, of: Thing, *, live: bool) -> Thing:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": of},
        "livemode": live,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type_,
    }


def listed(url: str, things: list[Thing], *, more: bool) -> Thing:
    return {"object": "list", "url": url, "has_more": more, "data": things}


def error(type_: str, message: str, code: str | None = None, **more: Any) -> Thing:
    return {"error": {"type": type_, "message": message, **({"code": code} if code else {}), **more}}
