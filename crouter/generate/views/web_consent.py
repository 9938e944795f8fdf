"""What a visitor is asked, as a configuration of vanilla-cookieconsent 3.1, composed from values of the policy.

That library writes every text as HTML, so every value of the policy is escaped here. It clears cookies when consent is
withdrawn, but no other storage: `clears` names what a page has to remove besides.
"""

import json
from hashlib import sha256
from html import escape
from typing import Any

from crouter.plan.web import REMEMBERS_CONSENT, consent_mode, max_age_seconds
from crouter.plan.words import duration_words, joined
from crouter.policy.model import Policy
from crouter.policy.parts.surface import Cookie, CookieCategory, StorageKey
from crouter.policy.types import Duration

_SECONDS_PER_DAY = 86_400
# The library's names for our categories.
_NAMES: dict[CookieCategory, str] = {"essential": "necessary", "analytics": "analytics"}
_SAME_SITE = {"lax": "Lax", "strict": "Strict"}


def consent(policy: Policy) -> dict[str, Any]:
    """The parts of consent.json.

    `configuration` is what the library is run with; it is null where the policy declares no cookie that could remember
    an answer: then nobody is asked, and what waits for consent never begins.
    """
    modes = {_NAMES[category]: consent_mode(policy, category) for category in _categories(policy)}
    record = _record(policy)
    return {
        "modes": modes,
        "honours": policy.consent.honours,
        "clears": {_NAMES[category]: _clears(policy, category) for category in _categories(policy)},
        "configuration": None if record is None else _configuration(policy, *record),
    }


def _record(policy: Policy) -> tuple[str, Cookie] | None:
    """The cookie that remembers the answer: what it is for says so in fideslang's words, and scripts can read it."""
    for name, cookie in policy.cookies.items():
        if policy.purposes[cookie.purpose].data_use == REMEMBERS_CONSENT and not cookie.http_only:
            return name, cookie
    return None


def _categories(policy: Policy) -> tuple[CookieCategory, ...]:
    measured = policy.analytics is not None or bool(_entries(policy, "analytics"))
    return ("essential", "analytics") if measured else ("essential",)


def _entries(policy: Policy, category: CookieCategory) -> list[tuple[str, Cookie | StorageKey]]:
    entries: list[tuple[str, Cookie | StorageKey]] = [*policy.cookies.items(), *policy.storage.items()]
    return [(name, entry) for name, entry in entries if entry.category == category]


def _clears(policy: Policy, category: CookieCategory) -> dict[str, list[str]]:
    def named(kind: str) -> list[str]:
        return [n for n, e in _entries(policy, category) if isinstance(e, StorageKey) and e.kind == kind]

    # A signal of the browser can refuse what waits for nothing else.
    if consent_mode(policy, category) == "always" and (category == "essential" or not policy.consent.honours):
        return {"cookies": [], "local_storage": [], "session_storage": []}
    return {
        "cookies": [name for name, entry in _entries(policy, category) if isinstance(entry, Cookie)],
        "local_storage": named("local_storage"),
        "session_storage": named("session_storage"),
    }


def _configuration(policy: Policy, name: str, record: Cookie) -> dict[str, Any]:
    categories = _categories(policy)
    modes = [consent_mode(policy, category) for category in categories]
    seconds = max_age_seconds(record.lifetime) or 0
    gui = {"equalWeightButtons": True, "flipButtons": False}
    return {
        # In the library's opt-out mode, a category begins unasked only where it is enabled below.
        "mode": "opt-out" if "opt_out" in modes else "opt-in",
        "autoShow": any(mode != "always" for mode in modes),
        "revision": _revision(policy),
        "manageScriptTags": True,
        "autoClearCookies": True,
        # Robots see what people see.
        "hideFromBots": False,
        "disablePageInteraction": False,
        "cookie": {
            "name": name,
            "path": "/",
            "secure": True,
            "sameSite": _SAME_SITE[record.same_site],
            "expiresAfterDays": _days(seconds),
        },
        "guiOptions": {
            "consentModal": {"layout": "box", "position": "bottom right", **gui},
            "preferencesModal": {"layout": "box", **gui},
        },
        "categories": {_NAMES[category]: _category(policy, category) for category in categories},
        "language": {
            "default": policy.policy.locale,
            "translations": {policy.policy.locale: _translation(policy)},
        },
    }


def _days(seconds: int) -> int | float:
    days, rest = divmod(seconds, _SECONDS_PER_DAY)
    return seconds / _SECONDS_PER_DAY if rest else days


def _category(policy: Policy, category: CookieCategory) -> dict[str, Any]:
    mode = consent_mode(policy, category)
    said: dict[str, Any] = {"enabled": mode != "opt_in", "readOnly": mode == "always"}
    cookies = _clears(policy, category)["cookies"]
    return {**said, "autoClear": {"cookies": [{"name": name} for name in cookies]}} if cookies else said


def _revision(policy: Policy) -> int:
    """Names what is asked: with another number, the library asks again. A whole number below 2**31."""
    analytics = policy.analytics
    asked = {
        "consent": policy.consent.model_dump(mode="json"),
        "analytics": analytics and analytics.model_dump(mode="json"),
        "purposes": analytics and policy.processors[analytics.processor].purposes,
        "kept": {name: entry.model_dump(mode="json") for name, entry in _entries(policy, "analytics")},
    }
    text = json.dumps(asked, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return int(sha256(text.encode("ascii")).hexdigest()[:8], 16) >> 1


def _translation(policy: Policy) -> dict[str, Any]:
    buttons = {"acceptAllBtn": "Accept", "acceptNecessaryBtn": "Refuse"}
    sections = [
        {
            "title": {"essential": "Essential", "analytics": "Analytics"}[category],
            "description": _description(policy, category),
            "linkedCategory": _NAMES[category],
            **_table(policy, category),
        }
        for category in _categories(policy)
    ]
    return {
        "consentModal": {
            "title": "May we measure how our pages are used?",
            "description": " ".join(_description(policy, category) for category in reversed(_categories(policy))),
            **buttons,
            "showPreferencesBtn": "Choose",
            "footer": f'<a href="/privacy">{escape(policy.policy.title)}</a>',
        },
        "preferencesModal": {
            "title": "What you allow",
            **buttons,
            "savePreferencesBtn": "Save what I chose",
            "closeIconLabel": "Close",
            "sections": sections,
        },
    }


def _description(policy: Policy, category: CookieCategory) -> str:
    sentences = _about_analytics(policy) if category == "analytics" else _about_essential(policy)
    return escape(" ".join((*sentences, *_when(policy, category))))


def _about_essential(policy: Policy) -> tuple[str, ...]:
    entries = _entries(policy, "essential")
    if not entries:
        return (f"{policy.service.name} keeps nothing essential in your browser.",)
    return (f"{policy.service.name} keeps in your browser what it needs for {_purposes(policy, entries)}.",)


def _about_analytics(policy: Policy) -> tuple[str, ...]:
    analytics = policy.analytics
    if analytics is None:
        return (f"We keep entries in your browser for {_purposes(policy, _entries(policy, 'analytics'))}.",)
    processor = policy.processors[analytics.processor]
    events = joined(list(dict.fromkeys(event.label for event in analytics.events.values())))
    purposes = joined(list(dict.fromkeys(policy.purposes[purpose].label for purpose in processor.purposes)))
    said = f"We use {processor.label} to measure {events} on our web pages, for {purposes}."
    if not analytics.never_sends:
        return (said,)
    return (said, f"We never send these to {processor.label}: {joined(list(analytics.never_sends))}.")


def _when(policy: Policy, category: CookieCategory) -> tuple[str, ...]:
    mode = consent_mode(policy, category)
    if category == "essential":
        return {"always": (), "opt_in": ("It waits for your consent.",), "opt_out": ("You can refuse it.",)}[mode]
    return {
        "always": ("This does not wait for your consent.",),
        "opt_in": ("Nothing is measured before you agree.",),
        "opt_out": ("We measure until you refuse.",),
    }[mode]


def _purposes(policy: Policy, entries: list[tuple[str, Cookie | StorageKey]]) -> str:
    return joined(list(dict.fromkeys(policy.purposes[entry.purpose].label for _, entry in entries)))


def _table(policy: Policy, category: CookieCategory) -> dict[str, Any]:
    rows = [
        {
            "name": escape(name),
            "purpose": escape(policy.purposes[entry.purpose].label),
            "lifetime": escape(_kept(entry)),
        }
        for name, entry in _entries(policy, category)
    ]
    headers = {"name": "Name", "purpose": "What for", "lifetime": "How long"}
    return {"cookieTable": {"headers": headers, "body": rows}} if rows else {}


def _kept(entry: Cookie | StorageKey) -> str:
    if isinstance(entry.lifetime, Duration):
        return duration_words(entry.lifetime)
    if entry.lifetime == "persistent":
        return "until you clear it"
    return "until you close the browser" if isinstance(entry, Cookie) else "until you close the tab"
