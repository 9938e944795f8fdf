"""The web family: what pages may keep in a browser, load, measure and say, as files that pages and readers use.

Its files are JSON and hold no mechanism. What is asked for consent is composed in `web_consent.py`.
"""

from typing import Any
from urllib.parse import urlsplit

from crouter.generate.templates import Templates
from crouter.generate.views.json_file import json_file
from crouter.generate.views.web_consent import consent
from crouter.plan.plan import Plan
from crouter.plan.web import (
    GPC_FILE,
    REMEMBERS_CONSENT,
    consent_mode,
    content_security_policy,
    honours_gpc,
    max_age_seconds,
)
from crouter.plan.words import duration_words
from crouter.policy.model import Policy
from crouter.policy.parts.surface import Cookie, CookieCategory, StorageKey
from crouter.policy.types import Duration

# Purposes of IAB Europe's Transparency and Consent Framework, by fideslang's data use. Purpose 1 is storage itself.
_TCF_STORAGE = 1
_TCF_PURPOSES = (
    ("analytics.reporting.ad_performance", 7),
    ("analytics", 8),
    ("functional.service.improve", 10),
)


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """Everything in generated/web/. Nothing here is drawn, so `templates` stays unused."""
    policy, header = plan.policy, plan.header
    files = {
        "web/cookies.json": json_file({"generated": header, "cookies": _cookies(policy)}),
        "web/storage.json": json_file({"generated": header, "storage": _storage(policy)}),
        "web/device-storage.json": json_file(_device_storage(policy)),
        "web/consent.json": json_file({"generated": header, **consent(policy)}),
        "web/headers.json": json_file({"generated": header, "response_headers": _headers(plan)}),
        "web/content-security-policy.txt": _directives(),
    }
    if policy.analytics is not None:
        files["web/analytics.json"] = json_file({"generated": header, **_analytics(plan)})
    if honours_gpc(policy):
        files[GPC_FILE] = json_file({"gpc": True, "lastUpdate": policy.policy.effective.isoformat()})
    return files


def _cookies(policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            **_reason(policy, cookie),
            "lifetime": _lifetime(cookie.lifetime, "until the browser is closed"),
            "path": "/",
            "secure": True,
            "http_only": cookie.http_only,
            "same_site": cookie.same_site,
            "policy_path": f"cookies.{name}",
        }
        for name, cookie in policy.cookies.items()
    ]


def _storage(policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "kind": key.kind,
            **_reason(policy, key),
            "lifetime": _lifetime(key.lifetime, "until the tab is closed"),
            "policy_path": f"storage.{name}",
        }
        for name, key in policy.storage.items()
    ]


def _reason(policy: Policy, entry: Cookie | StorageKey) -> dict[str, str]:
    purpose = policy.purposes[entry.purpose]
    return {
        "purpose": entry.purpose,
        "purpose_label": purpose.label,
        "legal_basis": purpose.basis,
        "category": entry.category,
        "consent": consent_mode(policy, entry.category),
    }


def _lifetime(lifetime: Duration | str, session: str) -> dict[str, Any]:
    if isinstance(lifetime, Duration):
        words = duration_words(lifetime)
        return {"declared": lifetime.text, "words": words, "seconds": max_age_seconds(lifetime)}
    words = session if lifetime == "session" else "until it is cleared"
    return {"declared": lifetime, "words": words, "seconds": None}


def _device_storage(policy: Policy) -> dict[str, Any]:
    """IAB Europe's "Vendor Device Storage & Operational Disclosures", version 1.1."""
    host = urlsplit(policy.service.url).hostname
    entries: list[tuple[str, Cookie | StorageKey]] = [*policy.cookies.items(), *policy.storage.items()]
    disclosures = [_disclosure(policy, name, entry, host) for name, entry in entries]
    purposes = sorted({purpose for disclosure in disclosures for purpose in disclosure["purposes"]})
    domain = {"domain": host, "purposes": purposes, "use": policy.service.description}
    return {"disclosures": disclosures, "domains": [domain]}


def _disclosure(policy: Policy, name: str, entry: Cookie | StorageKey, host: str | None) -> dict[str, Any]:
    purpose = policy.purposes[entry.purpose]
    is_cookie = isinstance(entry, Cookie)
    return {
        "identifier": name,
        "type": "cookie" if is_cookie else "web",
        # Zero stands for a session there, and null for everything that is no cookie.
        "maxAgeSeconds": (max_age_seconds(entry.lifetime) or 0) if is_cookie else None,
        "cookieRefresh": False,
        "domains": [host],
        "purposes": _tcf_purposes(purpose.data_use, entry.category),
        "description": purpose.label,
        "optOut": purpose.data_use == REMEMBERS_CONSENT,
    }


def _tcf_purposes(data_use: str, category: CookieCategory) -> list[int]:
    """What is essential is exempt from consent, and says so by leaving purpose 1 out."""
    if category == "essential":
        return []
    for use, number in _TCF_PURPOSES:
        if data_use == use or data_use.startswith(f"{use}."):
            return [_TCF_STORAGE, number]
    return [_TCF_STORAGE]


def _headers(plan: Plan) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in plan.web.response_headers]


def _directives() -> str:
    """One directive a line, as a reviewer reads it; joined by spaces, the lines are the header's value."""
    return ";\n".join(" ".join((name, *sources)) for name, sources in content_security_policy()) + "\n"


def _analytics(plan: Plan) -> dict[str, Any]:
    analytics, said = plan.web.analytics, plan.policy.analytics
    assert analytics is not None, "the plan measures what the policy declares"
    assert said is not None, "the caller looked"
    return {
        "processor": analytics.processor,
        "relay_path": analytics.relay_path,
        "mode": analytics.mode,
        "honours": analytics.honours,
        "events": [
            {"name": event.name, "label": said.events[event.name].label, "properties": event.properties}
            for event in analytics.events
        ],
        "never_sends": said.never_sends,
    }
