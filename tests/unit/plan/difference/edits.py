"""Edits of a policy, what tells each of them, and what weighs about it one way and the other way."""

from typing import Any

from crouter.policy.model import Policy
from tests.cases.generate.cases import whole_policy

WHOLE = whole_policy()
DATA, PURPOSE, RECIPIENT = "new_data", "new_purpose", "new_recipient"
LONGER, WEAKER = "longer_retention", "weaker_promise"

PICTURE = {"label": "picture", "type": "text", "purposes": ["dashboard"], "data_category": "user.name", "dpv": "Name"}
CRM = {
    "label": "CRM",
    "does": "sending newsletters",
    "purposes": ["service_updates"],
    "receives": ["account.email"],
    "mode": "store",
    "hosts": ["api.crm.example"],
    "policy_covers": "contacts",
    "policy_url": "https://crm.example/privacy",
    "keeps": {"for": "contract", "source": "https://crm.example/dpa", "as_of": WHOLE.processors["stripe"].keeps.as_of},
}
MARKETING = {
    "label": "marketing",
    "basis": "legitimate_interests",
    "data_use": "marketing.advertising",
    "dpv": "Marketing",
}
VISITS = {
    "label": "visits",
    "when": "you visit",
    "subject": "customer",
    "owner": "account",
    "source": "crouter",
    "fields": {"seen_at": {**PICTURE, "label": "time of a visit", "type": "timestamp"}},
    "technical": {
        "id": {"type": "uuid", "key": True, "why": "names the visit"},
        "account_id": {"type": "reference", "to": "account", "why": "joins it"},
    },
}
AD_COOKIE = {
    "purpose": "improvement",
    "category": "analytics",
    "lifetime": "P1Y",
    "http_only": False,
    "same_site": "lax",
}
OWN_COOKIE = {
    "purpose": "authentication",
    "category": "essential",
    "lifetime": "P1D",
    "http_only": True,
    "same_site": "lax",
}
DELETION = "retention.deletion"

EDITS: list[tuple[str, dict[str, Any], str, set[str], set[str]]] = [
    # what is edited, how, the change that tells it, the weights one way and the other way
    (
        "a field",
        {"data.account.fields.picture": PICTURE},
        "customers:added:data.account.fields.picture",
        {DATA, RECIPIENT},
        set(),
    ),
    (
        "a category",
        {"data.visits": VISITS, "retention.account.of": ["account", "api_key", "ledger", "visits"]},
        "customers:added:data.visits",
        {DATA},
        set(),
    ),
    (
        "a purpose of a field",
        {"data.account.fields.name.purposes": ["authentication", "dashboard"]},
        "customers:changed:data.account.fields.name.purposes",
        {PURPOSE},
        set(),
    ),
    ("a purpose", {"purposes.marketing": MARKETING}, "customers:added:purposes.marketing", {PURPOSE}, set()),
    (
        "what a purpose means",
        {"purposes.billing.data_use": "marketing"},
        "customers:changed:purposes.billing.data_use",
        {PURPOSE},
        {PURPOSE},
    ),
    (
        "a narrower purpose",
        {"purposes.proxying.data_use": "essential.service.operations"},
        "customers:changed:purposes.proxying.data_use",
        set(),
        {PURPOSE},
    ),
    (
        "no more consent",
        {"purposes.improvement.basis": "legitimate_interests"},
        "customers:changed:purposes.improvement.basis",
        {WEAKER},
        set(),
    ),
    (
        "a wider kind of data",
        {"data.account.fields.name.data_category": "user"},
        "customers:changed:data.account.fields.name.data_category",
        {DATA},
        set(),
    ),
    (
        "what is no longer sealed",
        {"data.api_key.fields.sealed.type": "text"},
        "customers:changed:data.api_key.fields.sealed.type",
        {WEAKER},
        set(),
    ),
    ("another source", {"data.account.source": "crouter"}, "customers:changed:data.account.source", {DATA}, {DATA}),
    ("about nobody", {"data.usage.subject": "none"}, "customers:changed:data.usage.subject", {WEAKER}, {DATA}),
    ("a longer period", {"retention.usage.keep": "P18M"}, "customers:changed:retention.usage.keep", {LONGER}, set()),
    ("the same period", {"retention.usage.keep": "P1Y"}, "customers:changed:retention.usage.keep", set(), set()),
    ("a period of days", {"retention.usage.keep": "P365D"}, "customers:changed:retention.usage.keep", set(), {LONGER}),
    (
        "as long as it is active",
        {"retention.usage": {"of": ["usage"], "keep": "while_active"}},
        "customers:changed:retention.usage.keep",
        {LONGER},
        set(),
    ),
    (
        "another beginning",
        {"retention.evidence.from": "as_of"},
        "customers:changed:retention.evidence.from",
        {LONGER},
        {LONGER},
    ),
    (
        "a later deletion",
        {f"{DELETION}.within": "P60D"},
        "customers:changed:retention.deletion.within",
        {LONGER},
        set(),
    ),
    ("a shorter grace", {f"{DELETION}.grace": "P1D"}, "customers:changed:retention.deletion.grace", set(), set()),
    (
        "a kind that is not deleted",
        {f"{DELETION}.of": ["account", "api_key", "ledger"]},
        "customers:removed:retention.deletion.of",
        {WEAKER},
        set(),
    ),
    (
        "no exception",
        {f"{DELETION}.exceptions": []},
        "customers:changed:retention.deletion.exceptions",
        set(),
        {LONGER},
    ),
    ("single entries stay", {"data.ledger.fold": None}, "customers:changed:data.ledger.fold", {LONGER}, set()),
    ("a recipient", {"processors.crm": CRM}, "customers:added:processors.crm", {RECIPIENT}, set()),
    (
        "a recipient of more",
        {"processors.stripe.receives": ["account", "ledger.amount_nanousd"]},
        "customers:changed:processors.stripe.receives",
        {RECIPIENT},
        set(),
    ),
    (
        "the same in other words",
        {"processors.stripe.receives": ["ledger.amount_nanousd", "account.email"]},
        "processors:reordered:processors.stripe.receives",
        set(),
        set(),
    ),
    (
        "a recipient for more",
        {"processors.stripe.purposes": ["payment", "billing_notices"]},
        "customers:changed:processors.stripe.purposes",
        {PURPOSE},
        set(),
    ),
    (
        "a recipient that stores",
        {"processors.cloudflare.mode": "store"},
        "customers:changed:processors.cloudflare.mode",
        {WEAKER},
        set(),
    ),
    (
        "a recipient that keeps",
        {"processors.anthropic.keeps.for": "P60D"},
        "customers:changed:processors.anthropic.keeps.for",
        {LONGER},
        set(),
    ),
    (
        "a recipient that does not say",
        {"processors.anthropic.keeps.for": "unstated"},
        "customers:changed:processors.anthropic.keeps.for",
        {LONGER},
        set(),
    ),
    (
        "a host",
        {"processors.stripe.hosts": ["api.stripe.com", "files.stripe.com"]},
        "processors:changed:processors.stripe.hosts",
        set(),
        set(),
    ),
    (
        "a name of a recipient",
        {"processors.stripe.label": "Stripe Inc."},
        "processors:changed:processors.stripe.label",
        set(),
        set(),
    ),
    (
        "another controller",
        {"controller.name": "Somebody"},
        "customers:changed:controller.name",
        {RECIPIENT},
        {RECIPIENT},
    ),
    (
        "another contact",
        {"controller.contact": "privacy@crouter.dev"},
        "customers:changed:controller.contact",
        set(),
        set(),
    ),
    ("a promise", {"never.sale": None}, "customers:removed:never.sale", {WEAKER}, set()),
    ("a verb", {"never.content.not": ["store", "log"]}, "customers:changed:never.content.not", {WEAKER}, set()),
    (
        "what is covered",
        {"never.location.covers": ["city"]},
        "customers:changed:never.location.covers",
        {WEAKER},
        set(),
    ),
    (
        "what it derives from",
        {"never.location.derivable_from": []},
        "customers:changed:never.location.derivable_from",
        {WEAKER},
        set(),
    ),
    (
        "older TLS",
        {"security.https.minimum_tls": "1.3"},
        "customers:changed:security.https.minimum_tls",
        set(),
        {WEAKER},
    ),
    (
        "plain http",
        {"security.https.plain_http": "redirect"},
        "customers:changed:security.https.plain_http",
        {WEAKER},
        set(),
    ),
    ("shorter hsts", {"security.https.hsts": "P1Y"}, "customers:changed:security.https.hsts", {WEAKER}, set()),
    ("no edge", {"security.edge": None}, "customers:removed:security.edge", {WEAKER}, set()),
    (
        "a header",
        {"proxy.drops_request_headers": ["cookie"]},
        "customers:changed:proxy.drops_request_headers",
        {WEAKER},
        set(),
    ),
    ("a right", {"rights.access": None}, "customers:removed:rights.access", {WEAKER}, set()),
    ("a format", {"rights.access.formats": ["json"]}, "customers:changed:rights.access.formats", {WEAKER}, set()),
    ("a later answer", {"requests.deadline": "P1M"}, "customers:changed:requests.deadline", {WEAKER}, {WEAKER}),
    (
        "no e-mail",
        {"policy.changes.announced_by": "website"},
        "customers:changed:policy.changes.announced_by",
        {WEAKER},
        set(),
    ),
    (
        "what is significant",
        {"policy.changes.significant": ["new_data"]},
        "customers:changed:policy.changes.significant",
        {WEAKER},
        set(),
    ),
    (
        "asked agreement",
        {"policy.changes.acceptance": "explicit_consent"},
        "customers:changed:policy.changes.acceptance",
        set(),
        {WEAKER},
    ),
    (
        "no more asking",
        {"consent.modes": {"essential": "always", "analytics": "always"}},
        "cookies:changed:consent.modes.analytics",
        {WEAKER},
        set(),
    ),
    ("a signal", {"consent.honours": []}, "cookies:changed:consent.honours", {WEAKER}, set()),
    ("a cookie that waits", {"cookies.ads": AD_COOKIE}, "cookies:added:cookies.ads", {DATA}, set()),
    ("an essential cookie", {"cookies.own": OWN_COOKIE}, "cookies:added:cookies.own", set(), set()),
    (
        "a longer cookie",
        {"cookies.cc_cookie.lifetime": "P1Y"},
        "cookies:changed:cookies.cc_cookie.lifetime",
        {LONGER},
        set(),
    ),
    (
        "a cookie for scripts",
        {"cookies.__Host-crouter_session.http_only": False},
        "cookies:changed:cookies.__Host-crouter_session.http_only",
        {WEAKER},
        set(),
    ),
    (
        "an event",
        {"analytics.events.scroll": {"label": "scrolling", "properties": ["path"]}},
        "cookies:added:analytics.events.scroll",
        {DATA},
        set(),
    ),
    (
        "a property",
        {"analytics.events.page_view.properties": ["path", "referrer_host", "element"]},
        "cookies:changed:analytics.events.page_view.properties",
        {DATA},
        set(),
    ),
    (
        "what is never sent",
        {"analytics.never_sends": ["IP address"]},
        "cookies:changed:analytics.never_sends",
        {WEAKER},
        set(),
    ),
    (
        "a limit",
        {"proxy.limits.requests_per_minute": 40},
        "code:changed:proxy.limits.requests_per_minute",
        set(),
        set(),
    ),
    ("a log field", {"logging.service.size": "number"}, "code:added:logging.service.size", set(), set()),
    ("a label", {"data.account.label": "your account"}, "customers:changed:data.account.label", set(), set()),
    ("a law", {"policy.profiles": ["gdpr", "uk"]}, "law:changed:policy.profiles", set(), set()),
]

NAMES = [name for name, *_ in EDITS]


def edited_policy(edits: dict[str, Any]) -> Policy:
    """The whole policy with the edits, and without the claims about what they take away."""
    gone = tuple(path for path, value in edits.items() if value is None)
    sections = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    for section in sections:
        section["claims"] = {name: claim for name, claim in section["claims"].items() if claim["about"] not in gone}
    return whole_policy({**edits, "sections": sections} if gone else edits)
