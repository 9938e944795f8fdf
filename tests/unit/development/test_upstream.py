"""Without a key of Anthropic the simulator answers; with one, nothing of ours stands in between."""

import secrets

import pytest

from crouter.development.errors import DevelopmentError
from crouter.development.upstream import upstream
from crouter.runtime.proxy.authentication import ApiKeyFormat


@pytest.mark.parametrize("environ", [{}, {"ANTHROPIC_API_KEY": ""}, {"CROUTER_UPSTREAM_URL": "https://example.com"}])
async def test_without_a_key_the_simulator_answers_on_this_machine(environ: dict[str, str]) -> None:
    async with upstream(environ) as found:
        assert found.name == "simulator"
        assert found.settings["CROUTER_UPSTREAM_URL"].startswith("http://127.0.0.1:")
        assert found.settings["ANTHROPIC_API_KEY"].startswith("sk-ant-simulator-")


async def test_with_a_key_requests_go_to_anthropic() -> None:
    async with upstream({"ANTHROPIC_API_KEY": "sk-ant-1", "DATABASE_URL": "postgresql://x"}) as found:
        assert (found.name, found.settings) == ("anthropic", {"ANTHROPIC_API_KEY": "sk-ant-1"})


async def test_a_key_in_a_file_counts() -> None:
    async with upstream({"ANTHROPIC_API_KEY_FILE": "key"}) as found:
        assert (found.name, found.settings) == ("anthropic", {"ANTHROPIC_API_KEY_FILE": "key"})


async def test_a_key_of_our_own_is_no_key_for_the_upstream() -> None:
    key = ApiKeyFormat().key(secrets.token_bytes(32)).reveal()
    with pytest.raises(DevelopmentError) as refused:
        async with upstream({"ANTHROPIC_API_KEY": key}):
            pass
    assert key not in str(refused.value)
