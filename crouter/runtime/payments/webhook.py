"""Decides whether a message really comes from Stripe, for us, and now. Reads nothing but the raw body and one header.

The SDK checks the signature and that it is not too old. It lets signatures from the future pass, checks no age at all
with a tolerance of nothing, and knows nothing of whom an event is for; that is done here. Whether it was seen before is
decided where it is applied (`events.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from crouter.runtime.payments.processor import API_VERSION
from crouter.runtime.payments.settings import PaymentSettings

TOLERANCE_SECONDS: Final = 300
AHEAD_SECONDS: Final = 30
BODY_BYTES_MAX: Final = 512 * 1024
HEADER_CHARS_MAX: Final = 4096


class WebhookRefusedError(Exception):
    """It is not to be believed. `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Event:
    """A message from Stripe that is believed. `told` is the object that it is about."""

    id: str
    type: str
    signed_at: datetime
    told: Mapping[str, Any]


def read_event(settings: PaymentSettings, body: bytes, header: str, now: datetime) -> Event:
    """The event in a message. Raises WebhookRefusedError."""
    if not header or len(header) > HEADER_CHARS_MAX:
        raise WebhookRefusedError("unsigned")
    _verify(settings, body, header)
    signed_at = _signed_at(header)
    if (signed_at - now).total_seconds() > AHEAD_SECONDS:
        raise WebhookRefusedError("signed_in_the_future")
    # The SDK looks at the system's clock: once more by the one that we are given.
    if (now - signed_at).total_seconds() > TOLERANCE_SECONDS:
        raise WebhookRefusedError("signed_long_ago")
    return _event(settings, body, signed_at)


def _verify(settings: PaymentSettings, body: bytes, header: str) -> None:
    assert settings.webhook_secrets, "a service without a secret does not start"
    for secret in settings.webhook_secrets:
        try:
            stripe.WebhookSignature.verify_header(body, header, secret.reveal(), TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, ValueError, OverflowError):
            continue
        return
    raise WebhookRefusedError("not_signed_by_stripe_in_time")


def _signed_at(header: str) -> datetime:
    """The moment that was signed: the SDK reads the first one, too."""
    try:
        moment = next(int(item[2:]) for item in header.split(",") if item.startswith("t="))
        return datetime.fromtimestamp(moment, UTC)
    except (StopIteration, ValueError, OverflowError, OSError):
        raise WebhookRefusedError("not_signed_by_stripe_in_time") from None


def _event(settings: PaymentSettings, body: bytes, signed_at: datetime) -> Event:
    try:
        event = json.loads(body)
        told = event["data"]["object"]
        id_, type_ = event["id"], event["type"]
        is_event = event["object"] == "event" and isinstance(told, dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WebhookRefusedError("not_an_event") from None
    if not is_event or not (isinstance(id_, str) and isinstance(type_, str) and len(id_) <= 255 and len(type_) <= 255):
        raise WebhookRefusedError("not_an_event")
    if event.get("livemode") is not settings.is_live:
        raise WebhookRefusedError("of_another_mode")
    if event.get("account") is not None or event.get("context") is not None:
        raise WebhookRefusedError("of_another_account")
    version = event.get("api_version")
    if not isinstance(version, str) or version.partition(".")[2] != API_VERSION.partition(".")[2]:
        raise WebhookRefusedError("of_another_api_version")
    return Event(id_, type_, signed_at, told)
