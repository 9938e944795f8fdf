"""What the service answers, asked from outside: https only, declared headers, and nothing past the edge."""

from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.egress.probing import ProbeError, Told, ask_http, verifying
from crouter.runtime.web.headers import page_headers

PAGE: Final = "/privacy"
API: Final = "/v1/models"
TROUBLES: Final = {
    "unreachable": "nobody answers",
    "certificate": "the certificate does not prove who answers",
    "tls": "no TLS could be agreed on",
    "protocol": "what answers does not speak as it should",
}


async def _bypass(ground: Ground) -> AsyncIterator[Finding]:
    settings = ground.settings
    if settings is None or settings.edge_secret is None:
        yield Finding("skipped", "no edge stands in front")
        return
    tls = None if settings.tls is None else verifying(ground.deployment.security.tls_minimum)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  where it listens
    try:
        statuses = [(await ask_http(host, settings.port, path, tls=tls)).status for path in (PAGE, API)]
    except ProbeError as error:
        yield Finding("skipped", f"at CROUTER_LISTEN, {TROUBLES[error.trouble]}", "run this where the service runs")
        return
    if all(status == 403 for status in statuses):
        yield Finding("ok", "a request that does not come through the edge is refused")
    else:
        found = "a request that does not come through the edge is answered"
        yield Finding("failed", found, "restart the service with CROUTER_EDGE_SECRET, in production")


async def _https(ground: Ground) -> AsyncIterator[Finding]:
    url = urlsplit(ground.url)
    if url.scheme != "https":
        yield Finding("failed", "the address of the service is not https", "correct service.url in policy.yaml")
        return
    tls = verifying(ground.deployment.security.tls_minimum)
    try:
        told = await ask_http(url.hostname or "", url.port or 443, PAGE, tls=tls, authority=url.netloc)
    except ProbeError as error:
        yield Finding("failed", f"at {ground.url}, {TROUBLES[error.trouble]}", "see the edge, its origin and its names")
        return
    if told.status != 200:
        yield Finding("failed", f"{PAGE} is answered with {told.status}", "see the edge and its secret")
        return
    yield Finding("ok", f"{PAGE} is answered over https")
    for finding in judged_headers(ground, told):
        yield finding


def judged_headers(ground: Ground, told: Told) -> list[Finding]:
    """Compares the headers of a page with those that are declared."""
    declared = dict(page_headers(ground.deployment.web))
    declared["strict-transport-security"] = f"max-age={ground.deployment.security.hsts_seconds}"
    other = [name for name, value in declared.items() if told.headers.get(name) != value]
    if other:
        found = f"these headers are not as declared: {', '.join(sorted(other))}"
        return [Finding("failed", found, "see what changes answers on their way, such as the network in front")]
    return [Finding("ok", "pages have the declared headers, Strict-Transport-Security among them")]


async def _plain(ground: Ground) -> AsyncIterator[Finding]:
    url, settings = urlsplit(ground.url), ground.settings
    port = settings.plain_listen[1] if settings is not None and settings.plain_listen is not None else 80
    host = url.hostname or ""
    try:
        page = await ask_http(host, port, PAGE, tls=None)
        api = await ask_http(host, port, API, tls=None, headers=(("x-api-key", "none"),))
    except ProbeError:
        yield Finding("ok", "nobody answers plain http")
        return
    yield judged_plain(ground.deployment.security.plain_http, (page.status, page.headers), (api.status, api.headers))


def judged_plain(declared: str, page: tuple[int, Mapping[str, str]], api: tuple[int, Mapping[str, str]]) -> Finding:
    """Judges the answers to a page and to an API request in plain http: status and headers of each."""
    is_sent_on = page[0] in (301, 302, 307, 308) and page[1].get("location", "").startswith("https://")
    if not 400 <= api[0] < 500:
        found = "an API request in plain http is not refused: it has given its key away by then"
        return Finding("failed", found, "switch redirects off for /v1 in the network in front (Always Use HTTPS)")
    if is_sent_on and declared == "refuse":
        found = "pages in plain http are sent on to https, and the policy says they are refused"
        return Finding("warning", found, "switch that off in the network in front, or declare plain_http: redirect")
    if is_sent_on or 400 <= page[0] < 500:
        return Finding("ok", "plain http is turned away as the policy says")
    return Finding("failed", f"a page is answered in plain http ({page[0]})", "let nothing but https reach the service")


CHECKS: Final = (
    Check("edge_bypass", "whether a request past the edge is refused", _bypass),
    Check("https", "whether the service is reached over https, with its headers", _https),
    Check("plain_http", "whether plain http is turned away", _plain),
)
