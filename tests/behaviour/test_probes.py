"""What clients ask before they ask anything: whether somebody is there. And what is refused on purpose."""

from typing import Any

import aiohttp
import pytest

from tests.behaviour.service import Service, message


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("path", ["/", "/privacy", "/healthz"])
async def test_probes_and_pages_answer_without_a_key(service: Service, method: str, path: str) -> None:
    async with aiohttp.ClientSession(service.url) as http, http.request(method, path) as answer:
        assert answer.status == 200
        assert (await answer.read() == b"") is (method == "HEAD")
    assert len(service.simulator.ledger) == 0


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("HEAD", "/v1/messages", "POST"),
        ("HEAD", "/v1/models", "GET"),
        ("OPTIONS", "/v1/messages", "POST"),
        ("OPTIONS", "/v1/messages/batches", "POST, GET"),
        ("PATCH", "/v1/messages/batches/msgbatch_1", "GET, DELETE"),
        ("GET", "/v1/chat/completions", "POST"),
    ],
)
async def test_another_method_is_a_405_that_names_those_there_are(
    service: Service, method: str, path: str, allow: str
) -> None:
    origin = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    async with aiohttp.ClientSession(service.url, headers=origin) as http:
        async with http.request(method, path) as answer:
            assert (answer.status, answer.headers["allow"]) == (405, allow)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        # The connection is still good: a body that must not be there was not sent.
        async with http.get("/healthz") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/files", "/v1/files/file_1/content", "/v1/complete", "/v1/skills", "/v1/skills/s/versions"),
        *("/v1/organizations/usage_report/messages", "/v1/agents", "/v1/memory_stores/m"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_is_not_offered_is_a_403_that_says_why(service: Service, method: str, path: str) -> None:
    async with (
        aiohttp.ClientSession(service.url, headers=service.headers()) as http,
        http.request(method, path, params={"beta": "true"}) as answer,
    ):
        assert answer.status == 403
        said = await answer.json()
    assert said["error"]["type"] == "permission_error"
    assert "not offered" in said["error"]["message"]
    assert len(service.simulator.ledger) == 0


@pytest.mark.parametrize("path", ["/v1/filesystem", "/v1/completely", "/v1/message", "/v1/messages/", "//v1/messages"])
async def test_any_other_path_is_a_404(service: Service, path: str) -> None:
    async with (
        aiohttp.ClientSession(headers=service.headers()) as http,
        http.post(service.url + path, json=message()) as answer,
    ):
        assert answer.status == 404
        assert (await answer.json())["error"]["type"] == "not_found_error"


SHARED: dict[str, dict[str, Any]] = {
    "a document": {"messages": [{"role": "user", "content": [{"type": "document", "source": {"file_id": "file_1"}}]}]},
    "a file in a system text": {"system": [{"type": "text", "text": "hi", "source": {"type": "file", "file_id": "f"}}]},
    "a container": {"container": "container_1"},
    "a skill": {"container": {"skills": [{"type": "custom", "skill_id": "skill_1"}]}},
    "a thread": {"thread": {"type": "continue", "previous_message_id": "msg_1"}},
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"])
async def test_a_body_that_names_shared_state_goes_no_further(service: Service, path: str, name: str) -> None:
    async with (
        aiohttp.ClientSession(service.url, headers=service.headers()) as http,
        http.post(path, json={**message(), **SHARED[name]}) as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["error"]["type"] == "invalid_request_error"
    assert len(service.simulator.ledger) == 0
