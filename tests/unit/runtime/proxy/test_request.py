"""What is read from a request's body, what is refused, and what refusals say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted, Refused, read_request

BODY: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "hi"}]}


def read(**changes: Any) -> Accepted | Refused:
    return read_request(json.dumps({**BODY, **changes}).encode())


def test_an_ordinary_request() -> None:
    assert read() == Accepted("claude-opus-5-5", False, 1024, ORDINARY)


def test_what_is_read() -> None:
    assert read(stream=True, max_tokens=0, speed="fast", inference_geo="us", service_tier="auto", unknown={"a": 1}) == (
        Accepted("claude-opus-5-5", True, 0, ServiceOptions("standard", "fast", "us"))
    )


@pytest.mark.parametrize("key", ["stream", "speed", "inference_geo", "fallbacks", "tools", "billing_policy"])
def test_null_is_absent(key: str) -> None:
    assert read(**{key: None}) == read()


def test_max_tokens_may_be_missing_here() -> None:
    assert read(max_tokens=None) == Accepted("claude-opus-5-5", False, None, ORDINARY)


REFUSED = [
    (b"", "the request body is not valid JSON, or nested too deeply"),
    (b"{", "the request body is not valid JSON, or nested too deeply"),
    (b'{"model":"m"} x', "the request body is not valid JSON, or nested too deeply"),
    (b'{"model":NaN}', "the request body is not valid JSON, or nested too deeply"),
    (b'{"a":' * 200_000, "the request body is not valid JSON, or nested too deeply"),
    (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "the request body is not valid JSON, or nested too deeply"),
    (b"[]", "the request body must be a JSON object"),
    (b'"model"', "the request body must be a JSON object"),
    (b"{}", "model: Field required"),
    (b'{"model":null}', "model: must be a string"),
    (b'{"model":5}', "model: must be a string"),
    (b'{"model":["m"]}', "model: must be a string"),
    (b'{"model":""}', "model: does not have the form of a model id"),
    (b'{"model":"canary prompt"}', "model: does not have the form of a model id"),
    (b'{"model":"m\\n"}', "model: does not have the form of a model id"),
    (b'{"model":"' + b"m" * 129 + b'"}', "model: does not have the form of a model id"),
    (b'{"model":"\xff"}', "model: not valid JSON"),
    (b'{"model":"m","stream":"true"}', "stream: must be true or false"),
    (b'{"model":"m","stream":1}', "stream: must be true or false"),
    (b'{"model":"m","max_tokens":"1"}', "max_tokens: must be a whole number, zero or more"),
    (b'{"model":"m","max_tokens":-1}', "max_tokens: must be a whole number, zero or more"),
    (b'{"model":"m","max_tokens":true}', "max_tokens: must be a whole number, zero or more"),
    (b'{"model":"m","max_tokens":1.5}', "max_tokens: must be a whole number, zero or more"),
    (b'{"model":"m","speed":1}', "speed: must be the name of an option"),
    (b'{"model":"m","inference_geo":"can ary"}', "inference_geo: must be the name of an option"),
    (b'{"model":"m","tools":{}}', "tools: must be a list"),
    (b'{"model":"m","tools":[1]}', "an entry of tools must be a JSON object"),
    (b'{"model":"m","tools":[{"type":1}]}', "tools: type must be the name of a tool type"),
    (b'{"model":"m","tools":[{"type":"advisor_20260301"}]}', "tools: model: Field required"),
    (b'{"model":"m","tools":[{"name":"a","name":"b"}]}', "an entry of tools gives a key twice"),
    (b'{"model":"m","fallbacks":[{"model":"a","model":"b"}]}', "an entry of fallbacks gives a key twice"),
    (b'{"model":"m","fallbacks":[{}]}', "fallbacks: model: Field required"),
    (b'{"model":"m","fallbacks":{}}', "fallbacks: must be a list"),
    (
        b'{"model":"m","billing_policy":{"type":"billing_policy","bill_to":"user_profile"}}',
        "billing_policy: a request is paid from the balance of its API key only",
    ),
]


@pytest.mark.parametrize(("body", "message"), REFUSED)
def test_what_is_refused_and_in_which_words(body: bytes, message: str) -> None:
    assert read_request(body) == Refused(message)


TWICE = [
    b'{"model":"a","model":"b"}',
    b'{"model":"a","model":"a"}',
    b'{"model":"a","x":1,"model":"a"}',
    b'{"model":"a","mod\\u0065l":"b"}',
    b'{ "model" : "a" , "max_tokens" : 12 , "max_tokens" : 1 }',
    b'{"max_tokens":1,"model":"a","max_tokens":12}',
    b'{"max_tokens":12,"model":"a","max_tokens":1}',
    b'{"stream":false,"model":"a","stream":true}',
    b'{"model":"a","messages":[{"a":1}],"messages":[{"a":1},{"b":2}]}',
    b'{"model":"a","x":{"y":"}"},"x":{"y":"}","z":1}}',
    b'{"model":"a","x":1.5,"x":1}',
    b'{"model":"a","":1,"":1}',
]


@pytest.mark.parametrize("body", TWICE)
def test_a_key_given_twice_is_refused(body: bytes) -> None:
    assert read_request(body) == Refused("the request body gives a key twice")


@pytest.mark.parametrize(
    "body",
    [
        b' \r\n\t{ "model" : "a" \n}\t ',
        b'{"model":"a","messages":[{"content":"\\"model\\":\\"b\\""}],"x":{"model":"c","model2":"d"}}',
        b'{"x":"\\\\","model":"a","y":"\\\\\\""}',
        '{"model":"a","ключ":"значение","\\ud83d\\ude00":"😀"}'.encode(),
        b'{"model":"a","n":-1.5e+10,"m":0,"t":true,"f":false,"z":null,"o":{},"l":[]}',
        b'{"model":"a","metadata":{"user_id":"u","user_id":"v"}}',
    ],
)
def test_keys_given_once_are_accepted(body: bytes) -> None:
    accepted = read_request(body)
    assert isinstance(accepted, Accepted)
    assert accepted.model == "a"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["a", "b", "", '"', "\\", "ключ", "a\n"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.booleans(), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_repeated_keys_are_found_exactly(
    members: list[tuple[str, Any]], ascii_only: bool, separators: tuple[str, str]
) -> None:
    """The independent judge is the standard library's hook, which sees every pair."""
    pairs = [("model", "m"), *members]
    comma, colon = separators
    body = "{" + comma.join(
        json.dumps(key, ensure_ascii=ascii_only) + colon + json.dumps(value, ensure_ascii=ascii_only)
        for key, value in pairs
    )
    repeated = len(dict(pairs)) != len(pairs)
    answer = read_request((body + "}").encode("utf-8", "replace"))
    assert isinstance(answer, Refused) == repeated


def test_models_and_tools_that_may_cost_are_named() -> None:
    accepted = read(
        fallbacks=[{"model": "claude-opus-5"}, {"model": "claude-sonnet-5", "max_tokens": 5}],
        tools=[
            {"name": "Bash", "input_schema": {"type": "object", "model": "x"}},
            {"type": "custom", "name": "Read"},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 5},
            {"type": "advisor_20260301", "name": "advisor", "model": "claude-fable-5-2"},
            {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5"},
        ],
    )
    assert isinstance(accepted, Accepted)
    assert accepted.further_models == ("claude-opus-5", "claude-sonnet-5", "claude-fable-5-2")
    assert accepted.tool_types == ("web_search_20260318", "advisor_20260301")


def test_the_upstreams_own_choice_of_fallback_passes() -> None:
    assert read(fallbacks="default") == read()


@pytest.mark.parametrize("policy", [{"type": "billing_policy"}, {"bill_to": "self"}, {"bill_to": None}])
def test_paying_for_oneself_passes(policy: dict[str, Any]) -> None:
    assert read(billing_policy=policy) == read()


@pytest.mark.claim("exclude-content")
@given(st.binary(max_size=40))
def test_a_refusal_never_repeats_the_body(junk: bytes) -> None:
    for body in (junk, b'{"model":"canary ' + junk + b'"}', b'{"canary":1,"canary":' + junk + b"}"):
        answer = read_request(body)
        assert isinstance(answer, Refused)
        assert "canary" not in answer.message
        assert answer.message in {message for _, message in REFUSED} | {"the request body gives a key twice"}
