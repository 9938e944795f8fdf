"""What becomes of events that a page sends: judged by consent and signals, cut to what is declared, sent or dropped."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.assets import Assets
from tests.behaviour.service import Service, serving, until
from tests.behaviour.test_pages import EDGE_SECRET, signature
from tests.contract.openpanel.server import CLIENT_ID, CLIENT_SECRET, OpenPanel

CONSENT_ID = "9b2d4c0a-5f5e-4c1b-8a6e-0d7a3f1c2b11"
ACCEPTED, REFUSED = ["necessary", "analytics"], ["necessary"]
PRODUCTION = {
    "CROUTER_ENVIRONMENT": "production",
    "CROUTER_UPSTREAM_URL": "https://api.anthropic.com",
    "CROUTER_EDGE_SECRET": EDGE_SECRET,
    "CROUTER_SESSION_KEYS": "1:" + base64.b64encode(b"c" * 32).decode(),
    "CROUTER_SUPABASE_URL": "https://project.supabase.co",
    "CROUTER_SUPABASE_KEY": "sb_publishable_0000",
    "CROUTER_SUPABASE_SECRET_KEY": "sb_secret_0000",
    "CROUTER_STRIPE_KEY": "rk_live_" + "0" * 24,
    "CROUTER_STRIPE_WEBHOOK_SECRET": "whsec_" + "0" * 32,
    "CROUTER_TOMBSTONE_KEYS": "1:" + base64.b64encode(b"t" * 32).decode(),
}
VIEW = {"path": "/pricing", "referrer_host": "example.org"}


@asynccontextmanager
async def measuring(
    deployment: Deployment, dsn: str, generated: Path, **environ: str
) -> AsyncIterator[tuple[Service, OpenPanel]]:
    openpanel = OpenPanel()
    async with openpanel.serving() as url:
        told = {
            "CROUTER_OPENPANEL_URL": url,
            "CROUTER_OPENPANEL_CLIENT_ID": CLIENT_ID,
            "CROUTER_OPENPANEL_CLIENT_SECRET": CLIENT_SECRET,
            **environ,
        }
        async with serving(deployment, dsn, generated, show_dashboard=False, **told) as service:
            yield service, openpanel


def cookie(generated: Path, categories: list[str], **more: Any) -> str:
    """What vanilla-cookieconsent writes."""
    revision = json.loads((generated / "web" / "consent.json").read_text())["configuration"]["revision"]
    said = {"categories": categories, "revision": revision, "consentId": CONSENT_ID, "services": {}, **more}
    return f"cc_cookie={quote(json.dumps(said))}"


def track(name: str, properties: dict[str, Any], kind: str = "track") -> dict[str, Any]:
    return {"type": kind, "payload": {"name": name, "properties": properties, "profileId": "canary-profile"}}


async def counted(session: aiohttp.ClientSession, service: Service, outcome: str) -> float:
    async with session.get(f"{service.url}/metrics") as answer:
        text = await answer.text()
    sample = f'crouter_analytics_events_total{{outcome="{outcome}"}} '
    return sum(float(line.removeprefix(sample)) for line in text.splitlines() if line.startswith(sample))


@pytest.mark.claim("processor-openpanel")
@pytest.mark.claim("cookie-analytics")
@pytest.mark.claim("exclude-location")
async def test_cookie_analytics__events_leave_with_consent_only_and_hold_declared_fields_only(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with measuring(deployment, dsn, generated) as (service, openpanel), aiohttp.ClientSession() as session:

        async def send(event: dict[str, Any], status: int = 202, **headers: str) -> None:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            given |= {"user-agent": "canary-agent", "x-forwarded-for": "192.0.2.77", "accept-language": "canary"}
            async with session.post(f"{service.url}/relay/analytics/track", json=event, headers=given) as answer:
                assert (answer.status, await answer.read()) == (status, b"" if status == 202 else await answer.read())

        accepted, refused = cookie(generated, ACCEPTED), cookie(generated, REFUSED)
        view = track("page_view", VIEW)
        await send(view)
        await send(view, cookie=refused)
        await send(view, cookie="cc_cookie=nonsense")
        await send(view, cookie=cookie(generated, ACCEPTED, revision=1))
        assert await counted(session, service, "no_consent") == 4
        await send(view, cookie=accepted, sec_gpc="1")
        await send(view, cookie=accepted, dnt="1")
        assert await counted(session, service, "refused") == 2
        await send(track("screen_view", VIEW), cookie=accepted)
        await send(track("page_view", VIEW, kind="identify"), cookie=accepted)
        assert await counted(session, service, "undeclared") == 2
        await send(view, 403, cookie=accepted, sec_fetch_site="cross-site")
        # Signals say `1` and nothing else.
        await send(view, cookie=accepted, sec_gpc="0", dnt="0")
        odd = {"path": "/account/privacy/3f0c?token=canary#x", "element": "sign-in", "city": "canary", "__ip": "::1"}
        await send(track("interaction", odd), cookie=accepted)
        await send(track("page_view", {"path": "canary@example.org", "referrer_host": "192.0.2.1"}), cookie=accepted)
        await until(lambda: len(openpanel.received) == 3, 10)
        assert await counted(session, service, "sent") == 3
    assert openpanel.events == [
        ("page_view", VIEW),
        ("interaction", {"path": "/account/privacy/{}", "element": "sign-in"}),
        ("page_view", {}),
    ]
    for one in openpanel.received:
        assert set(one.payload) == {"name", "properties"}
        assert one.tells_who == {}
        assert set(one.headers) == {
            "host", "content-type", "content-length", "openpanel-client-id", "openpanel-client-secret"
        }  # fmt: skip
        assert b"canary" not in one.raw


async def test_a_processor_that_is_away_costs_a_page_nothing_and_events_are_dropped(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with measuring(deployment, dsn, generated) as (service, openpanel), aiohttp.ClientSession() as session:
        openpanel.status = 500
        headers = {"cookie": cookie(generated, ACCEPTED)}
        for _ in range(40):
            async with session.post(
                f"{service.url}/relay/analytics", json=track("page_view", VIEW), headers=headers
            ) as answer:
                assert answer.status == 202

        async def is_over() -> bool:
            return sum([await counted(session, service, outcome) for outcome in ("failed", "away")]) == 40

        await until(is_over, 10)
        assert await counted(session, service, "sent") == 0
        # After some failures nothing more is tried for a while.
        assert len(openpanel.received) <= 8


@pytest.mark.claim("cookie-analytics")
async def test_cookie_analytics__without_a_client_of_the_processor_nothing_is_measured_and_nobody_is_asked(
    service: Service,
) -> None:
    async with aiohttp.ClientSession() as session:
        for method, path in (("POST", "/relay/analytics"), ("POST", "/consent"), ("GET", "/consent.json")):
            async with session.request(method, f"{service.url}{path}") as answer:
                assert answer.status == 404
        for path in ("/", "/privacy", "/privacy/proof"):
            async with session.get(f"{service.url}{path}") as page:
                assert "consent.js" not in await page.text()


@pytest.mark.claim("collect-consent")
async def test_collect_consent__a_record_holds_the_choice_its_number_the_policy_and_the_time(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with measuring(deployment, dsn, generated) as (service, _), aiohttp.ClientSession() as session:
        for categories in (ACCEPTED, ACCEPTED, REFUSED):
            headers = {"cookie": cookie(generated, categories), "x-forwarded-for": "192.0.2.77"}
            async with session.post(f"{service.url}/consent", headers=headers, data=b"canary") as answer:
                assert answer.status == 204
        elsewhere = {"cookie": cookie(generated, ACCEPTED), "sec-fetch-site": "cross-site"}
        async with session.post(f"{service.url}/consent", headers=elsewhere) as answer:
            assert answer.status == 403
        rows = service.rows("consent")
    assert [row["choice"] for row in rows] == ["accepted", "refused"]
    assert {str(row["consent_id"]) for row in rows} == {CONSENT_ID}
    assert {row["policy_digest"] for row in rows} == {deployment.policy_digest}
    assert set(rows[0]) == {"id", "consent_id", "choice", "policy_digest", "recorded_at"}


@pytest.mark.claim("cookie-essential", by="cookie_register")
@pytest.mark.parametrize("environment", ["development", "production"])
async def test_cookie_essential__an_undeclared_cookie_is_an_error_in_development_and_dropped_in_production(
    deployment: Deployment,
    dsn: str,
    generated: Path,
    environment: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    async def planted(self: Assets, exchange: Exchange) -> web.StreamResponse:
        reply = Reply(headers=[("set-cookie", "cc_cookie=1; Path=/"), ("set-cookie", "_ga=1; Path=/")], body=b"")
        reply.set_cookie("planted", "1")
        return reply

    monkeypatch.setattr(Assets, "answer", planted)
    told = {**PRODUCTION, "CROUTER_TOMBSTONES": str(tmp_path / "tombstones")} if environment == "production" else {}
    path = "/assets/crouter.css"
    async with (
        serving(deployment, dsn, generated, show_dashboard=False, **told) as service,
        aiohttp.ClientSession() as session,
        session.get(f"{service.url}{path}", headers={"x-crouter-edge": signature("GET", path)}) as answer,
    ):
        cookies = answer.headers.getall("set-cookie", [])
        metrics = service.running.parts.metrics.exposition().decode()
    if environment == "development":
        assert (answer.status, cookies) == (500, [])
        assert "UndeclaredCookieError" in service.out.getvalue()
    else:
        assert (answer.status, cookies) == (200, ["cc_cookie=1; Path=/"])
        assert "crouter_cookies_dropped_total 2.0" in metrics
