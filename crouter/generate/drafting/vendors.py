"""Parties that many services use: how a policy names them, and what Crouter's language would say about each.

The hosts and addresses are the vendors' own, as published; how long they keep what they receive is left unstated, for
whoever drafts a policy to look up. A vendor without hosts is known by name only: a person has to say what it receives.
"""

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["upstream", "payment", "database", "edge", "analytics", "mail", "named"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A party, and what it is for."""

    name: str
    label: str
    role: Role
    hosts: tuple[str, ...] = ()
    policy_url: str = ""

    def is_named_in(self, text: str) -> bool:
        """Whether a text speaks of it, as a word of its own."""
        return re.search(rf"(?<![\w-]){re.escape(self.label)}(?![\w-])", text) is not None


ANTHROPIC = Vendor(
    "anthropic", "Anthropic", "upstream", ("api.anthropic.com",), "https://www.anthropic.com/legal/privacy"
)

VENDORS = (
    ANTHROPIC,
    Vendor("stripe", "Stripe", "payment", ("api.stripe.com",), "https://stripe.com/privacy"),
    Vendor("paddle", "Paddle", "payment", ("api.paddle.com",), "https://www.paddle.com/legal/privacy"),
    Vendor("supabase", "Supabase", "database", ("*.supabase.co",), "https://supabase.com/privacy"),
    Vendor("neon", "Neon.tech", "database", ("*.neon.tech",), "https://neon.com/privacy-policy"),
    Vendor("cloudflare", "Cloudflare", "edge", (), "https://www.cloudflare.com/privacypolicy/"),
    Vendor("openpanel", "OpenPanel", "analytics", ("api.openpanel.dev",), "https://openpanel.dev/privacy"),
    Vendor("plausible", "Plausible", "analytics", ("plausible.io",), "https://plausible.io/privacy"),
    Vendor("posthog", "PostHog", "analytics", ("*.i.posthog.com",), "https://posthog.com/privacy"),
    Vendor("resend", "Resend", "mail", ("api.resend.com",), "https://resend.com/legal/privacy-policy"),
    Vendor("postmark", "Postmark", "mail", ("api.postmarkapp.com",), "https://wildbit.com/privacy-policy"),
    Vendor("sendgrid", "SendGrid", "mail", ("api.sendgrid.com",), "https://www.twilio.com/en-us/legal/privacy"),
    *(
        Vendor(label.lower().replace(" ", "_"), label, "named")
        for label in (
            "Amazon Web Services",
            "AWS",
            "Auth0",
            "Clerk",
            "Datadog",
            "Facebook",
            "Fly.io",
            "Google Analytics",
            "Google Cloud",
            "HubSpot",
            "Intercom",
            "Mailchimp",
            "Meta",
            "Microsoft Azure",
            "Mixpanel",
            "OpenAI",
            "PayPal",
            "Segment",
            "Sentry",
            "Vercel",
            "Zendesk",
        )
    ),
)
"""In the order of a policy: where requests go first, then money, storage, pages, mail."""
