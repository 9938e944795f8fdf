"""Every statement stands in the document once, in its section and in order, and says what it has to say."""

from itertools import pairwise
from typing import Any

import pytest

from crouter.plan.plan import Plan

SECTIONS: dict[str, list[str]] = {
    "What We Collect": [
        "collect-account",
        "collect-usage",
        "collect-batch",
        "collect-request",
        "collect-session",
        "collect-key",
        "collect-limits",
        "collect-access",
        "collect-mail",
        "collect-consent",
        "collect-payment",
        "collect-top-up",
    ],
    "What We Don't Collect": ["exclude-content", "exclude-retention", "exclude-location", "no-office"],
    "How We Use Your Data": ["use-email", "use-usage", "no-sale"],
    "Third-Party Services": [
        "processor-stripe",
        "processor-supabase",
        "processor-anthropic",
        "processor-cloudflare",
        "processor-openpanel",
    ],
    "Data Security": ["security-keys", "security-https", "security-edge"],
    "Data Retention": [
        "retain-account",
        "retain-usage",
        "retain-batch",
        "retain-requests",
        "retain-copies",
        "retain-session",
        "retain-mail",
        "retain-accesses",
        "retain-consent",
        "retain-deleted",
    ],
    "Your Rights": ["right-access", "right-erasure", "right-rectification", "right-deadline"],
    "Cookies and Analytics": ["cookie-essential", "cookie-analytics", "cookie-no-ads"],
    "Changes": ["change-may", "change-notify", "change-accept"],
    "Contact": ["contact"],
}
SAID = {
    "collect-account": ["create an account", "email address", "name", "Google sign-in"],
    "collect-usage": ["each API request", "log", "token counts", "model", "timestamp", "billing"],
    "collect-consent": ["choose about analytics", "random number", "names no person"],
    "collect-batch": ["create a message batch", "reserved amount", "time of creation", "billing"],
    "collect-access": ["an operator looks at your data", "who looked", "the reason given"],
    "collect-request": ["ask for a copy", "object to its use", "time of the request"],
    "collect-key": ["make an API key", "the name of the key", "the day of its last use", "its spending limit"],
    "collect-limits": ["your spending limit", "billing"],
    "collect-mail": ["something to tell you by mail", "kind of mail", "amounts and dates"],
    "collect-top-up": ["top up your balance", "amount paid", "time of payment"],
    "retain-requests": ["privacy requests", "36 months", "time of the request"],
    "retain-copies": ["copies of your data", "14 days"],
    "retain-mail": ["mail data", "14 days"],
    "collect-payment": ["Stripe takes your payments", "not store card details"],
    "exclude-content": ["not store, log", "the content of API requests and responses"],
    "exclude-retention": ["prompts", "outputs", "pass through", "retain none"],
    "exclude-location": ["not track your physical location"],
    "no-office": ["no office address", "fully remote, online service"],
    "use-email": ["email", "authentication", "billing notices", "important service updates"],
    "use-usage": ["usage data", "billing", "rate limiting", "the real-time dashboard"],
    "no-sale": ["not sell or rent your personal data", "with third parties for marketing"],
    "processor-stripe": ["Stripe", "payment processing", "policy covers payment data"],
    "processor-supabase": ["Supabase", "authentication and storing account data in its database", "securely"],
    "processor-anthropic": ["Anthropic", "API requests, which we proxy to it", "policy covers request data"],
    "processor-cloudflare": ["Cloudflare", "infrastructure and request routing"],
    "processor-openpanel": ["OpenPanel", "page views and interactions on our web pages", "improving the service"],
    "security-keys": ["API keys", "securely and encrypted"],
    "security-https": ["All communication is over HTTPS"],
    "security-edge": ["Cloudflare Workers", "at the edge"],
    "retain-account": ["account data", "as long as your account is active"],
    "retain-usage": ["usage data", "billing", "12 months"],
    "collect-session": ["sign in", "time of sign-in", "authentication"],
    "retain-session": ["sign-in data", "15 days", "time of sign-in"],
    "retain-batch": ["batch data", "30 days", "time of creation"],
    "retain-consent": ["your choice and its time", "18 months"],
    "retain-accesses": ["access records", "12 months"],
    "retain-deleted": ["delete your account", "gone within 30 days", "except what the law requires us to keep"],
    "right-access": ["a copy of your data"],
    "right-erasure": ["deletion of your account"],
    "right-rectification": ["an update of your information"],
    "right-deadline": ["contact", "at any time", "answer within 30 days"],
    "cookie-essential": ["essential cookies", "authentication"],
    "cookie-analytics": ["OpenPanel", "page views and interactions", "may use cookies or local storage"],
    "cookie-no-ads": ["no third-party advertising cookies", "not sell your personal data to advertisers"],
    "change-may": ["may change this policy"],
    "change-notify": ["significant changes by email"],
    "change-accept": ["continue to use", "after a change", "you accept"],
    "contact": ["privacy questions", "contact@crouter.dev"],
}


def test_the_statements_stand_in_their_sections_in_order(plan: Plan) -> None:
    assert {section.title: [claim.id for claim in section.claims] for section in plan.document.sections} == SECTIONS
    assert [section.title for section in plan.document.sections] == list(SECTIONS)
    assert [section.number for section in plan.document.sections] == list(range(1, 11))


@pytest.mark.claim("contact")
@pytest.mark.claim("change-accept")
@pytest.mark.claim("change-may")
@pytest.mark.claim("no-office")
@pytest.mark.parametrize("claim_id", [claim_id for ids in SECTIONS.values() for claim_id in ids])
def test_a_statement_says_each_part_of_itself(plan: Plan, claim_id: str) -> None:
    (claim,) = [claim for claim in plan.document.claims if claim.id == claim_id]
    assert [words for words in SAID[claim_id] if words not in claim.text] == []


@pytest.mark.parametrize("ending", ["md", "html", "txt", "json"])
def test_each_format_has_each_id_and_the_date(plan: Plan, files: dict[str, str], ending: str) -> None:
    text = files[f"policy/privacy-policy.{ending}"]
    marks = {"md": '<a id="{}"></a>', "html": 'id="{}"', "txt": "[{}]", "json": '"id": "{}"'}
    assert [claim.id for claim in plan.document.claims if text.count(marks[ending].format(claim.id)) != 1] == []
    assert "January 5, 2025" in text


def test_every_value_knows_where_it_stands_in_the_policy(plan: Plan, written: dict[str, Any]) -> None:
    for value in plan.document.values():
        for path in (value.path, *value.also):
            node: Any = written
            for name in path.split("."):
                node = node[int(name)] if isinstance(node, list) else node[name]


def test_sentences_are_short_and_say_each_word_once(plan: Plan) -> None:
    for claim in plan.document.claims:
        for sentence in claim.sentences:
            words = sentence.text.rstrip(".").split()
            assert len(words) <= 45, sentence.text
            assert [pair for pair in pairwise(words) if pair[0] == pair[1]] == [], sentence.text
            assert "  " not in sentence.text
