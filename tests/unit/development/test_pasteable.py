"""The printed lines are what a shell and Python read as intended."""

import ast
import json
import shlex

import pytest

from crouter.development.pasteable import claude_code, curl, python_sdk
from crouter.development.state_folder import DevelopmentFacts

FACTS = DevelopmentFacts(
    url="http://127.0.0.1:8080",
    api_key="sk-cr-Key",
    dashboard_url="http://127.0.0.1:8080/dashboard",
    database_url="postgresql://postgres@/crouter",
    upstream="simulator",
    upstream_url="http://127.0.0.1:1",
    pid=1,
)


@pytest.mark.parametrize("stream", [False, True])
def test_curl_carries_the_key_and_a_request(stream: bool) -> None:
    words = shlex.split(curl(FACTS, stream=stream))
    assert words[0] == "curl"
    assert "http://127.0.0.1:8080/v1/messages" in words
    assert "x-api-key: sk-cr-Key" in words
    assert json.loads(words[-1]).get("stream", False) is stream


def test_claude_code_gets_one_key_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(claude_code(FACTS))
    assert words[-1] == "claude"
    given = dict(word.split("=", 1) for word in words[:-1])
    assert given == {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080",
        "ANTHROPIC_AUTH_TOKEN": "sk-cr-Key",
        "ANTHROPIC_API_KEY": "",
    }


def test_the_snippet_is_python() -> None:
    ast.parse(python_sdk(FACTS))
