"""What the web pages may set, load and serve: the contract's `Web`.

Leaves out what the browser is told about consent, which is composed in `crouter/generate/views/web_consent.py`.
"""

from collections.abc import Mapping
from typing import Literal

from crouter.contract.web import Analytics, AnalyticsEvent, Cookie, Document, StorageKey, Web
from crouter.plan.document_style import style_hash
from crouter.policy.model import Policy
from crouter.policy.parts.surface import CookieCategory
from crouter.policy.types import Duration

CONTENT_SECURITY_POLICY = "Content-Security-Policy"
GPC_FILE = "web/gpc.json"
HISTORY_FILE = "policy/history/index.json"
"""The versions of the policy; the service finds their files beside it."""
STYLE_FILE = "policy/policy.css"
"""The style sheet of the policy, for pages of the service that look like it."""
REMEMBERS_CONSENT = "functional.storage.privacy_preferences"
"""The data use, in fideslang's words, of what remembers a visitor's choice."""

ConsentMode = Literal["always", "opt_in", "opt_out"]

# The features of the Permissions Policy registry that a page or a frame could use to learn who or where somebody is,
# or to show advertising; and those that no page of ours needs. Only features that current browsers know: each other one
# is a complaint in the console of every page, where real faults would be lost.
_DENIED_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "interest-cohort",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "unload",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)

_FORMATS: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}


def plan_web(policy: Policy) -> Web:
    """Everything the pages may do. Pure."""
    return Web(
        cookies=_cookies(policy),
        storage=_storage(policy),
        analytics=_analytics(policy),
        response_headers=_response_headers(),
        documents=_documents(policy),
    )


def consent_mode(policy: Policy, category: CookieCategory) -> ConsentMode:
    """What a category waits for. One that the policy names no mode for waits for consent, unless it is essential."""
    return policy.consent.modes.get(category, "always" if category == "essential" else "opt_in")


def max_age_seconds(lifetime: Duration | str) -> int | None:
    """How long a browser keeps an entry; None for one that ends with a session or that nothing ends.

    A calendar month becomes its shortest, so that nothing is kept longer than the policy says.
    """
    return lifetime.seconds_min if isinstance(lifetime, Duration) else None


def content_security_policy() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The directives and their sources (CSP Level 3).

    Everything comes from our own host: analytics goes through our relay, and payments are pages of Stripe's own.
    `upgrade-insecure-requests` is missing on purpose: it would break development on plain http, and in production
    Strict-Transport-Security does the same earlier.
    """
    return (
        ("default-src", ("'none'",)),
        ("script-src", ("'self'",)),
        ("style-src", ("'self'", f"'{style_hash()}'")),
        ("img-src", ("'self'", "data:")),
        ("font-src", ("'self'",)),
        ("connect-src", ("'self'",)),
        ("form-action", ("'self'",)),
        ("frame-ancestors", ("'none'",)),
        ("base-uri", ("'none'",)),
        ("object-src", ("'none'",)),
    )


def _cookies(policy: Policy) -> tuple[Cookie, ...]:
    return tuple(
        Cookie(
            name=name,
            purpose=cookie.purpose,
            category=cookie.category,
            max_age_seconds=max_age_seconds(cookie.lifetime),
            http_only=cookie.http_only,
            same_site=cookie.same_site,
        )
        for name, cookie in policy.cookies.items()
    )


def _storage(policy: Policy) -> tuple[StorageKey, ...]:
    return tuple(
        StorageKey(name=name, kind=key.kind, purpose=key.purpose, category=key.category)
        for name, key in policy.storage.items()
    )


def _analytics(policy: Policy) -> Analytics | None:
    analytics = policy.analytics
    if analytics is None:
        return None
    return Analytics(
        processor=analytics.processor,
        relay_path=analytics.relay,
        mode=consent_mode(policy, "analytics"),
        honours=policy.consent.honours,
        events=tuple(
            AnalyticsEvent(name=name, properties=event.properties) for name, event in analytics.events.items()
        ),
    )


def _response_headers() -> tuple[tuple[str, str], ...]:
    directives = (" ".join((name, *sources)) for name, sources in content_security_policy())
    return (
        (CONTENT_SECURITY_POLICY, "; ".join(directives)),
        ("Permissions-Policy", ", ".join(f"{feature}=()" for feature in _DENIED_FEATURES)),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    )


def _documents(policy: Policy) -> tuple[Document, ...]:
    """What is published as it was generated.

    There is no security.txt: RFC 9116 wants a date of expiry less than a year ahead, which no file that is the same
    for the same policy can honestly give.
    """
    documents = [
        Document(path=f"/privacy.{ending}", media_type=media_type, file=f"policy/privacy-policy.{ending}")
        for ending, media_type in (
            (f"{language}{ending}", media_type)
            for language in ("", *(f"{locale}." for locale in policy.policy.locales))
            for ending, media_type in _FORMATS.items()
        )
    ]
    documents += [
        Document(path="/privacy/history.json", media_type="application/json", file=HISTORY_FILE),
        Document(path="/privacy/policy.css", media_type="text/css; charset=utf-8", file=STYLE_FILE),
    ]
    # The running service fills them with the results that were recorded for its version.
    documents += [
        Document(path=f"/privacy/proof.{ending}", media_type=_FORMATS[ending], file=f"policy/proof.{ending}")
        for ending in ("html", "json")
    ]
    if honours_gpc(policy):
        documents.append(Document(path="/.well-known/gpc.json", media_type="application/json", file=GPC_FILE))
    return tuple(documents)


def honours_gpc(policy: Policy) -> bool:
    """Whether Global Privacy Control counts as a refusal, and may be published as such."""
    return "global_privacy_control" in policy.consent.honours
