"""The body of a chat completion: read strictly, forwarded as it came or with one wish added."""

import json
from typing import Any

import pytest

from crouter.runtime.proxy.completion_request import Completion, read_completion
from crouter.runtime.proxy.request import Refused

BASE: dict[str, Any] = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}


def encoded(**more: Any) -> bytes:
    return json.dumps({**BASE, **more}, indent=1).encode()


@pytest.mark.parametrize(
    "more", [{}, {"stream": False}, {"stream": None}, {"stream": True, "stream_options": {"include_usage": True}}]
)
def test_a_body_that_needs_no_wish_of_ours_is_forwarded_as_it_came(more: dict[str, Any]) -> None:
    body = encoded(**more)
    asked = read_completion(body)
    assert isinstance(asked, Completion)
    assert asked.body is body
    assert not asked.asks_usage


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None, "made_up": [1.0]}])
def test_a_stream_that_would_not_tell_its_usage_is_asked_to(options: dict[str, Any] | None) -> None:
    body = encoded(stream=True, **({"stream_options": options} if options is not None else {}))
    asked = read_completion(body)
    assert isinstance(asked, Completion)
    assert asked.asks_usage
    expected = json.loads(body) | {"stream_options": {**(options or {}), "include_usage": True}}
    assert json.loads(asked.body) == expected


def test_values_are_forwarded_byte_for_byte_even_then() -> None:
    values = b'"a\\u00e9" : {"x":1.0,\n "y":1e2}'
    asked = read_completion(b'{"stream":true,"model":"m",' + values + b"}")
    assert isinstance(asked, Completion)
    assert b'{"x":1.0,\n "y":1e2}' in asked.body
    assert "aé" in json.loads(asked.body)


@pytest.mark.parametrize(
    ("more", "most"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 9, "max_tokens": None}, 9),
        ({"max_completion_tokens": 5, "max_tokens": 9}, 9),
        ({"max_completion_tokens": 0}, 0),
    ],
)
def test_of_two_bounds_the_larger_one_is_what_may_be_answered(more: dict[str, Any], most: int | None) -> None:
    asked = read_completion(encoded(**more))
    assert isinstance(asked, Completion)
    assert asked.accepted.max_tokens == most


@pytest.mark.parametrize("n", [0, 2, 1.0, True, "1", [1]])
def test_more_than_one_choice_is_refused(n: Any) -> None:
    assert read_completion(encoded(n=n)) == Refused("n: must be 1")


@pytest.mark.parametrize("n", [1, None])
def test_one_choice_is_what_everybody_gets(n: int | None) -> None:
    assert isinstance(read_completion(encoded(n=n)), Completion)
