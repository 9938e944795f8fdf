"""Whether payments are real and their notices believed only with a signature. Asks Stripe nothing."""

from collections.abc import AsyncIterator
from typing import Final

from crouter.runtime.doctor.check import Check, Finding, Ground, State

KEY: Final = "CROUTER_STRIPE_KEY"
WEBHOOK_SECRET: Final = "CROUTER_STRIPE_WEBHOOK_SECRET"  # noqa: S105  the name of a variable


async def _stripe(ground: Ground) -> AsyncIterator[Finding]:
    key, secret = ground.text(KEY), ground.text(WEBHOOK_SECRET)
    if not key and not secret:
        yield Finding("skipped", "no payments are taken")
        return
    is_production = ground.environ.get("CROUTER_ENVIRONMENT", "").strip() != "development"
    if not key.startswith(("sk_", "rk_")):
        yield Finding("failed", f"{KEY}: is no secret or restricted key", "take one from Stripe's dashboard")
    elif "_live_" in key:
        yield Finding("ok", "payments are real")
        if key.startswith("sk_"):
            found = f"{KEY}: may do everything in the Stripe account"
            yield Finding("warning", found, "use a restricted key (rk_live_…) with what top-ups and refunds need")
    else:
        state: State = "failed" if is_production else "warning"
        yield Finding(state, f"{KEY}: is one of the test mode, with which nobody pays", "use a live key in production")
    if secret.startswith("whsec_") and len(secret) >= len("whsec_") + 16:
        yield Finding("ok", "notices of payments need Stripe's signature")
    else:
        found = f"{WEBHOOK_SECRET}: is no signing secret; anybody could send a notice of payment"
        yield Finding("failed", found, "set the signing secret of the endpoint /webhooks/stripe")


CHECKS: Final = (Check("payments", "whether payments are real and notices signed", _stripe),)
