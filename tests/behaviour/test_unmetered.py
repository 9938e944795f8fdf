"""Token counts and models: forwarded with our key, and nothing is recorded."""

import aiohttp
import pytest

from tests.behaviour.service import MODEL, UPSTREAM_KEY, Service, message


async def test_counting_tokens_needs_a_key_and_costs_nothing(service: Service) -> None:
    body = {key: value for key, value in message().items() if key not in ("max_tokens", "stream")}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{service.url}/v1/messages/count_tokens", json=body) as refused:
            assert refused.status == 401
        async with session.post(
            f"{service.url}/v1/messages/count_tokens", json=body, headers=service.headers()
        ) as answer:
            assert answer.status == 200
            assert (await answer.json())["input_tokens"] > 0
    assert await service.settled("usage") == []


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models?limit=2&after_id=x%20y", f"/v1/models/{MODEL}"])
async def test_models_are_asked_for_upstream_with_the_path_untouched(service: Service, path: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.url}{path}", headers=service.headers()) as answer,
    ):
        await answer.read()
    request = service.simulator.ledger[0].request
    assert request is not None
    assert request.target == path
    assert request.header("x-api-key") == UPSTREAM_KEY
    assert service.key.encode() not in b"".join(value for _, value in request.headers)
