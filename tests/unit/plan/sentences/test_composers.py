"""An edit of policy.yaml changes the sentence that is composed from it, and the sentence stays English."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from crouter.plan.document import compose_document
from crouter.plan.sentences.composers import COMPOSERS
from crouter.policy.model import Policy, SentenceKind

Edit = Callable[[Mapping[str, Any]], Policy]
REMOVED = "(removed)"
FIELD = {"type": "text", "purposes": ["authentication"], "data_category": "user.name", "dpv": "Name"}
COOKIE = {"purpose": "improvement", "category": "analytics", "lifetime": "P1Y", "http_only": False, "same_site": "lax"}


def said(policy: Policy, claim_id: str) -> str:
    return next(claim.text for claim in compose_document(policy).claims if claim.id == claim_id)


def test_every_kind_of_sentence_has_a_composer() -> None:
    assert set(COMPOSERS) == set(get_args(SentenceKind))


CHANGED: list[tuple[str, dict[str, Any], str]] = [
    # What We Collect
    (
        "collect-account",
        {"data/account/fields/name": REMOVED, "rights/rectification/fields": ["account.email"]},
        "When you create an account, we collect your email address from Google sign-in.",
    ),
    (
        "collect-account",
        {"data/account/fields/phone": {**FIELD, "label": "phone number"}},
        "When you create an account, we collect your email address, name and phone number from Google sign-in.",
    ),
    (
        "collect-account",
        {"data/account/fields/plan": {**FIELD, "label": "chosen plan", "source": "crouter"}},
        "When you create an account, we collect your email address and name from Google sign-in. "
        "When you create an account, Crouter records account data: chosen plan. This is for authentication.",
    ),
    ("collect-account", {"data/account/when": "you sign up"}, "When you sign up, we collect"),
    ("collect-account", {"sources/google_sign_in/label": "GitHub"}, "your email address and name from GitHub."),
    (
        "collect-usage",
        {"data/usage/fields/web_search_requests": REMOVED},
        "usage data: model, token counts, web fetch counts, further usage counts, service tier and timestamp. We",
    ),
    (
        "collect-usage",
        {"data/usage/fields/output_tokens/label": "output token counts"},
        "model, token counts, output token counts, web search counts, web fetch counts, further usage counts,",
    ),
    (
        "collect-account",
        {"sections/0/claims/collect-account/about": "data.ledger"},
        "When your balance changes, "
        "Crouter records balance entries: amount and time. This is for billing, billing notices and the real-time "
        "dashboard.",
    ),
    (
        "collect-account",
        {"sections/0/claims/collect-account/about": "data.retention_run"},
        "When a retention job runs, we record evidence of retention runs. This names no person.",
    ),
    ("collect-payment", {"processors/stripe/label": "Adyen"}, "Adyen takes your payments."),
    ("collect-payment", {"never/card_details/covers": ["card number"]}, "This includes card number."),
    ("collect-payment", {"never/card_details/not": ["store", "log"]}, "We do not store or log card details."),
    # What We Don't Collect
    ("exclude-content", {"never/content/not": ["store", "log"]}, "We do not store or log the content of API requests"),
    ("exclude-content", {"never/content/not": ["log"]}, "We do not log the content of API requests"),
    (
        "exclude-content",
        {"never/content/not": ["share", "sell"]},
        "We do not sell the content of API requests and responses. "
        "We do not share the content of API requests and responses with third parties. This includes",
    ),
    (
        "exclude-retention",
        {"never/content/covers": ["prompts"]},
        "Between you and Anthropic, we pass through prompts. We retain none of this.",
    ),
    (
        "exclude-retention",
        {"never/content/not": ["store"], "never/content/passes_through_to": REMOVED},
        "We pass through prompts, system prompts, tool inputs and results, images and files, and model outputs.",
    ),
    (
        "exclude-location",
        {"never/location/derivable_from": []},
        "We do not track your physical location. This includes city, region and country.",
    ),
    (
        "exclude-location",
        {"never/location/derivable_from": ["IP addresses"]},
        "We do not store or log what your physical location could be derived from: IP addresses.",
    ),
    (
        "no-office",
        {"controller/office": "1 Main Street, Springfield"},
        "Our office address is 1 Main Street, Springfield.",
    ),
    ("no-office", {"service/name": "Relay"}, "We have no office address. Relay is a fully remote, online service."),
    # How We Use Your Data
    (
        "use-email",
        {"data/account/fields/email/purposes": ["authentication"]},
        "We use your email address for authentication.",
    ),
    (
        "use-email",
        {"purposes/billing_notices/label": "invoices"},
        "for authentication, invoices and important service updates.",
    ),
    ("use-usage", {"purposes/dashboard/label": "charts"}, "We use usage data for billing, rate limiting and charts."),
    (
        "no-sale",
        {"never/sale/not": ["sell"]},
        "We do not sell your personal data. This includes account data and usage data.",
    ),
    (
        "no-sale",
        {"never/sale/not": ["share_for_marketing"]},
        "We do not share your personal data with third parties for marketing.",
    ),
    # Third-Party Services
    ("processor-stripe", {"processors/stripe/receives": ["account.name"]}, "It stores your name."),
    (
        "processor-stripe",
        {"processors/stripe/mode": "transit"},
        "It receives your email address, the amount in balance entries, the amount paid in payment data and",
    ),
    ("processor-stripe", {"processors/stripe/policy_covers": "cards"}, "Its privacy policy covers cards."),
    (
        "processor-stripe",
        {"processors/stripe/purposes": ["payment", "billing"]},
        "We use Stripe for payment processing. The purposes are billing and payment processing.",
    ),
    (
        "processor-supabase",
        {"sections/3/claims/processor-supabase/enforced_by": ["egress_guard"]},
        "It stores account data, usage data, API keys, balance entries, credit set aside, batch data, ",
    ),
    (
        "processor-anthropic",
        {"processors/anthropic/keeps/for": "P2Y"},
        "By its own statement as of November 23, 2026, it keeps what it receives for 2 years.",
    ),
    (
        "processor-anthropic",
        {"processors/anthropic/keeps/for": "none"},
        "By its own statement as of November 23, 2026, it does not keep what it receives.",
    ),
    ("processor-openpanel", {"analytics/events": {"click": {"label": "clicks"}}}, "It stores clicks."),
    # Data Security
    (
        "security-keys",
        {"data/api_key/label": "access keys"},
        "We store access keys, sign-in data,",
    ),
    ("security-https", {"security/https/plain_http": "redirect"}, "We redirect plain HTTP to HTTPS."),
    ("security-https", {"security/https/minimum_tls": "1.3"}, "with TLS 1.3 or newer."),
    ("security-https", {"security/https/hsts": "P180D"}, "for 180 days after each visit."),
    ("security-edge", {"security/edge/runtime": "Deno"}, "at the edge by Deno of Cloudflare, before"),
    # Data Retention
    (
        "retain-account",
        {"retention/account/of": ["account"]},
        "We keep account data as long as your account is active.",
    ),
    ("retain-usage", {"retention/usage/keep": "P6M"}, "for 6 months, counted from the timestamp."),
    ("retain-usage", {"retention/usage/keep": "P90D"}, "for 90 days, counted from the timestamp."),
    ("retain-usage", {"retention/usage/every": "P1D"}, "A job that runs every day deletes what is older."),
    ("retain-usage", {"data/ledger/fold": REMOVED}, "A job that runs every hour deletes what is older."),
    (
        "retain-usage",
        {"sections/5/claims/retain-usage/about": "retention.evidence"},
        "We keep evidence of retention runs for 36 months. A job that runs every day deletes what is older.",
    ),
    ("retain-deleted", {"retention/deletion/within": "P14D"}, "its personal data is gone within 14 days, except"),
    ("retain-deleted", {"retention/deletion/grace": "P1D"}, "You can take a deletion back for 1 day."),
    (
        "retain-deleted",
        {"retention/deletion/exceptions": []},
        "After you delete your account, its personal data is gone within 30 days. This covers account data, "
        "usage data, API keys, balance entries, credit set aside, batch data, ",
    ),
    (
        "retain-deleted",
        {"retention/deletion/exceptions": [{"of": "ledger", "kinds": ["refund"], "law": "Tax Act", "keep": "P7Y"}]},
        "The law requires us to keep balance entries of the kind “refund” for 7 years: Tax Act.",
    ),
    (
        "retain-deleted",
        {"retention/deletion/exceptions": [{"of": "ledger", "law": "Tax Act", "keep": "P7Y"}]},
        "The law requires us to keep balance entries for 7 years: Tax Act.",
    ),
    # Your Rights
    ("right-access", {"rights/access/formats": ["json"]}, "You can get it as JSON."),
    ("right-access", {"policy/profiles": ["gdpr", "uk"]}, "(Article 15 of the GDPR and the UK GDPR)."),
    ("right-access", {"policy/profiles": ["ccpa"]}, "You have the right to a copy of your data. You can"),
    ("right-erasure", {"retention/deletion/within": "P14D"}, "Your personal data is then gone within 14 days, except"),
    ("right-erasure", {"retention/deletion/exceptions": []}, "Your personal data is then gone within 30 days."),
    ("right-rectification", {"rights/rectification/fields": ["account.name"]}, "This covers your name."),
    ("right-deadline", {"requests/deadline": "P1M"}, "We answer within 1 month."),
    ("right-deadline", {"controller/contact": "privacy@example.org"}, "contact us at any time at privacy@example.org."),
    # Cookies and Analytics
    (
        "cookie-essential",
        {"cookies/cc_cookie": REMOVED},
        "We use essential cookies for authentication. The cookie __Host-crouter_session is for authentication and is "
        "kept for 14 days.",
    ),
    ("cookie-essential", {"cookies/cc_cookie/lifetime": "session"}, "and is kept until you close the browser."),
    ("cookie-essential", {"cookies": {}}, "We set no essential cookies."),
    ("cookie-essential", {"consent/modes/essential": "opt_in"}, "They wait for your consent."),
    ("cookie-analytics", {"consent/honours": []}, "Nothing is measured before you agree."),
    (
        "cookie-analytics",
        {"consent/honours": ["do_not_track"]},
        "When your browser sends Do Not Track, nothing is measured.",
    ),
    ("cookie-analytics", {"consent/modes/analytics": "opt_out"}, "We measure until you object."),
    ("cookie-analytics", {"consent/modes/analytics": "always"}, "We measure without asking for your consent."),
    ("cookie-analytics", {"storage": {}}, "OpenPanel uses no cookies and no local storage."),
    (
        "cookie-analytics",
        {"cookies/op": COOKIE},
        "It uses nothing but the cookie op for improving the service, kept for 1 year; and "
        "openpanel-pending-revenues in session storage for improving the service, kept until you close the tab.",
    ),
    (
        "cookie-analytics",
        {"analytics/never_sends": []},
        "and the element you used. Nothing is measured before you agree.",
    ),
    ("cookie-analytics", {"analytics/events/interaction": REMOVED}, "to measure page views on our web pages."),
    (
        "cookie-no-ads",
        {"never/sale/label": "what we know about you"},
        "We do not sell what we know about you to advertisers.",
    ),
    ("cookie-no-ads", {"never/sale/not": ["rent"]}, "We set no third-party advertising cookies."),
    # Changes, Contact
    (
        "change-may",
        {"policy/effective": "2026-12-01", "policy/version": "2"},
        "This is version 2, in effect from December 1, 2026.",
    ),
    (
        "change-notify",
        {"policy/changes/announced_by": "website"},
        "We announce significant changes on our website, https://crouter.dev, 14 days or more before they take effect.",
    ),
    ("change-notify", {"policy/changes/significant": ["new_data"]}, "A change is significant when it brings new data."),
    (
        "change-accept",
        {"policy/changes/acceptance": "explicit_consent"},
        "A change applies to you only after you have agreed to it.",
    ),
    ("contact", {"controller/contact": "privacy@example.org"}, "Send privacy questions to privacy@example.org."),
    ("contact", {"controller/name": "Crouter Inc."}, "Crouter Inc. is the controller of your personal data."),
]


@pytest.mark.parametrize(
    ("claim_id", "edits", "words"), CHANGED, ids=lambda value: value if isinstance(value, str) else None
)
def test_an_edit_changes_the_sentence(edit: Edit, claim_id: str, edits: dict[str, Any], words: str) -> None:
    before, after = said(edit({}), claim_id), said(edit(edits), claim_id)
    assert words in after
    assert before != after


NOT_PROMISED: list[tuple[str, dict[str, Any], str]] = [
    ("exclude-retention", {"never/content/not": ["store", "log"]}, "retain"),
    ("no-sale", {"never/sale/not": ["sell", "rent"]}, "marketing"),
    ("cookie-no-ads", {"never/sale/not": ["rent"]}, "sell"),
    ("retain-deleted", {"retention/deletion/exceptions": []}, "law"),
    ("right-erasure", {"rights/erasure/by": REMOVED}, "30 days"),
    ("processor-supabase", {"sections/3/claims/processor-supabase/enforced_by": []}, "securely"),
    ("processor-cloudflare", {}, "as long as"),
]


@pytest.mark.parametrize(("claim_id", "edits", "words"), NOT_PROMISED)
def test_what_the_policy_does_not_say_is_not_promised(
    edit: Edit, claim_id: str, edits: dict[str, Any], words: str
) -> None:
    assert words not in said(edit(edits), claim_id)
