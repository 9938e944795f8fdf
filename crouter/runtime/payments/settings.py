"""What an operator sets for payments. In production all of it has to be there; nothing is guessed."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from crouter.contract.deployment import Deployment
from crouter.runtime.environment import Reader
from crouter.runtime.names import BOOK, PAYMENT, PAYMENT_EVENT, PAYMENT_PROFILE, REFUND
from crouter.runtime.secret import Secret

STRIPE: Final = "stripe"
KEY: Final = "CROUTER_STRIPE_KEY"
WEBHOOK_SECRET: Final = "CROUTER_STRIPE_WEBHOOK_SECRET"  # noqa: S105  the name of a variable
WEBHOOK_SECRET_RETIRING: Final = "CROUTER_STRIPE_WEBHOOK_SECRET_RETIRING"  # noqa: S105  the name of a variable
API_BASE: Final = "CROUTER_STRIPE_API_BASE"
DEFAULT_API_BASE: Final = "https://api.stripe.com"
_KEY = re.compile(r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9_]{8,240}")
_SECRET = re.compile(r"whsec_[A-Za-z0-9_+/=-]{16,240}")
_RECORDS: Final = frozenset({BOOK, PAYMENT, REFUND, PAYMENT_PROFILE, PAYMENT_EVENT})


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """How Stripe is spoken to. `webhook_secrets` are those in force, newest first: never none, never an empty one."""

    key: Secret[str]
    webhook_secrets: tuple[Secret[str], ...]
    api_base: str = DEFAULT_API_BASE

    @property
    def is_live(self) -> bool:
        """Whether real money moves, as the kind of key tells."""
        return "_live_" in self.key.reveal()


def takes_payments(deployment: Deployment) -> bool:
    """Whether the policy declares what payments are recorded in, and who processes them."""
    named = {record.name for record in deployment.records}
    return named >= _RECORDS and any(processor.name == STRIPE for processor in deployment.processors)


def read_payments(reader: Reader, deployment: Deployment, *, production: bool) -> PaymentSettings | None:
    """None where the policy declares no payments, and in development without a key: then nothing is for sale."""
    if not takes_payments(deployment):
        return None
    if not production and not any(reader.is_set(name) for name in (KEY, WEBHOOK_SECRET)):
        return None
    key = reader.required(KEY, "Stripe's secret or restricted key, sk_live_… or rk_live_…")
    if key and _KEY.fullmatch(key) is None:
        reader.problems.append(f"{KEY}: is not a secret or restricted key of Stripe, sk_…, rk_…")
    elif key and production and "_live_" not in key:
        # With a test key anybody could pay with Stripe's test cards.
        reader.problems.append(f"{KEY}: is a key of Stripe's test mode, with which nobody pays anything")
    return PaymentSettings(Secret(key), _webhook_secrets(reader), _api_base(reader, production=production))


def _webhook_secrets(reader: Reader) -> tuple[Secret[str], ...]:
    given = [reader.required(WEBHOOK_SECRET, "the signing secret of the webhook endpoint /webhooks/stripe, whsec_…")]
    retiring = reader.text(WEBHOOK_SECRET_RETIRING)
    if retiring:
        given.append(retiring)
    for name, value in zip((WEBHOOK_SECRET, WEBHOOK_SECRET_RETIRING), given, strict=False):
        if value and _SECRET.fullmatch(value) is None:
            reader.problems.append(f"{name}: is not a signing secret of Stripe, whsec_… with 16 characters or more")
    if len(set(given)) < len(given):
        reader.problems.append(f"{WEBHOOK_SECRET_RETIRING}: is the secret in force; unset it")
    return tuple(Secret(value) for value in given if value)


def _api_base(reader: Reader, *, production: bool) -> str:
    text = reader.text(API_BASE)
    if not text:
        return DEFAULT_API_BASE
    if production:
        reader.problems.append(f"{API_BASE}: has no meaning in production; unset it")
    elif not _is_stand_in(text):
        reader.problems.append(f"{API_BASE}: is http to a port of this machine, such as http://127.0.0.1:12111")
    return text.rstrip("/")


def _is_stand_in(text: str) -> bool:
    try:
        url = urlsplit(text)
        is_local = url.hostname in ("127.0.0.1", "::1", "localhost") and url.port is not None
    except ValueError:
        return False
    return is_local and url.scheme == "http" and url.path in ("", "/") and not (url.query or url.fragment)
