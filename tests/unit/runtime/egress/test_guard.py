from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from crouter.runtime.egress import ContentChannel, Egress, EgressRefusedError, UpstreamError, drop_patterns
from crouter.runtime.settings import Settings, read_settings
from tests.unit.runtime.declarations import DEPLOYMENT
from tests.unit.runtime.test_settings import DEVELOPMENT, PRODUCTION


@asynccontextmanager
async def channel(
    settings: Settings, origin: str, processor: str = "anthropic"
) -> AsyncIterator[tuple[ContentChannel, list[str]]]:
    refused: list[str] = []
    async with Egress(DEPLOYMENT, settings, refused.append).open_content(processor, origin) as opened:
        yield opened, refused


@pytest.mark.claim("processor-stripe")
@pytest.mark.claim("no-sale")
async def test_no_sale__a_processor_that_does_not_receive_content_has_no_channel_for_it() -> None:
    with pytest.raises(EgressRefusedError):
        async with channel(read_settings(DEPLOYMENT, PRODUCTION), "https://api.stripe.com", "stripe"):
            pass


@pytest.mark.claim("processor-anthropic")
@pytest.mark.parametrize("environ", [PRODUCTION, DEVELOPMENT])
@pytest.mark.parametrize(
    "origin",
    [
        "https://example.org",
        "https://192.0.2.1",
        "https://[2001:db8::1]",
        "https://api.anthropic.com.example.org",
        "https://api.stripe.com",
        "http://api.anthropic.com",
        "http://127.0.0.1:1",
        "https://127.0.0.1:1",
    ],
)
async def test_processor_anthropic__a_connection_to_an_undeclared_host_is_refused_and_told(
    environ: dict[str, str], origin: str
) -> None:
    async with channel(read_settings(DEPLOYMENT, environ), origin) as (opened, refused):
        with pytest.raises(EgressRefusedError):
            await opened.send("POST", "/v1/messages", (), b"{}")
    assert refused == ["anthropic"]


async def test_in_development_only_the_very_address_of_the_operator_is_reached() -> None:
    settings = read_settings(DEPLOYMENT, {**DEVELOPMENT, "CROUTER_UPSTREAM_URL": "http://127.0.0.1:1"})
    async with channel(settings, "http://127.0.0.1:1") as (opened, refused):
        with pytest.raises(UpstreamError):
            await opened.send("POST", "/v1/messages", (), b"{}")
    assert refused == []
    async with channel(settings, "http://127.0.0.1:2") as (opened, refused):
        with pytest.raises(EgressRefusedError):
            await opened.send("POST", "/v1/messages", (), b"{}")


async def test_production_never_speaks_plain_http_whatever_it_was_told() -> None:
    settings = replace(read_settings(DEPLOYMENT, PRODUCTION), upstream_url="http://127.0.0.1:1")
    async with channel(settings, "http://127.0.0.1:1") as (opened, _):
        with pytest.raises(EgressRefusedError):
            await opened.send("GET", "/v1/models", (), None)


async def test_an_error_of_the_connection_carries_no_address_and_no_cause() -> None:
    settings = read_settings(DEPLOYMENT, {**DEVELOPMENT, "CROUTER_UPSTREAM_URL": "http://127.0.0.1:1"})
    async with channel(settings, "http://127.0.0.1:1") as (opened, _):
        with pytest.raises(UpstreamError) as caught:
            await opened.send("POST", "/v1/messages?q=canary", (), b"canary")
    assert caught.value.args == ()
    assert caught.value.__suppress_context__


def test_drop_patterns_are_names_and_prefixes() -> None:
    assert drop_patterns(("cookie", "x-forwarded-*", "cf-*")) == (("cookie",), ("x-forwarded-", "cf-"))
