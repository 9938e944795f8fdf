"""The one look at what is usual says what a full reading says, of generated bodies; or it says nothing."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from crouter.runtime.proxy.content import usual_factors
from crouter.runtime.proxy.cost_factors import CostFactors, factors_of
from crouter.runtime.proxy.members import Refusal, object_members
from crouter.runtime.proxy.request import Accepted, Refused, read_request
from crouter.runtime.proxy.shared_state import refuse_files, refuse_shared_state

SEED = random.SystemRandom().randrange(10**9)
FACTORS = ("any_model", "images", "opens", "rounds", "searches", "writes_1h", "writes_5m")

texts = st.sampled_from(
    ["", "hi", 'a "quote"', "\\", '\\"', "line\nline", "schön", "😀", "file_id", '"file_id"', "}]", "[{"]
)
free = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "file_id"]), inner, max_size=2),
    max_leaves=4,
)
controls = st.sampled_from([None, {}, {"type": "ephemeral"}, {"ttl": "5m"}, {"ttl": "1h"}, {"ttl": "1h", "new": 1}, 5])
sources = st.sampled_from(
    [
        None,
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        {"type": "text", "media_type": "text/plain", "data": "hi"},
        {"type": "url", "url": "https://a.example"},
        {"type": "file", "file_id": "file_1"},
        {"type": "content", "content": [{"type": "text", "text": "hi"}]},
        {"type": "base64", "data": {"file_id": "file_1"}},
        {"type": 5},
        "text",
    ]
)
citations = st.sampled_from(
    [None, {"enabled": True}, [{"type": "char_location", "file_id": None}], [{"file_id": "file_1"}], [], 5]
)
calls = ["tool_use", "server_tool_use", "mcp_tool_use"]
shown = ["text", "tool_result", "thinking", "redacted_thinking", "image", "image_url", "document"]
kinds = st.sampled_from([*calls, *shown, "container_upload", "made_up_in_2031"])
members_of_blocks: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "cache_control": controls,
    "source": sources,
    "citations": citations,
    "input": free,
    "id": texts,
    "name": texts,
    "tool_use_id": texts,
    "is_error": st.booleans() | st.none(),
    "thinking": texts,
    "data": texts | free,
    "title": texts | free,
    "caller": st.sampled_from([None, {"type": "direct"}, {"type": "made_up", "file_id": "file_1"}]),
    "image_url": st.sampled_from([None, {"url": "data:image/png;base64,AA"}, {"url": "https://a.example"}, "text"]),
    "file_id": st.sampled_from([None, "file_1"]),
    "new": free,
}


def block_of(content: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={"type": kinds, **members_of_blocks, "content": content})


blocks = st.recursive(
    st.fixed_dictionaries({"type": st.just("text"), "text": texts}),
    lambda inner: block_of(texts | st.lists(inner, max_size=2) | inner),
    max_leaves=6,
)
contents = texts | st.lists(blocks, max_size=3) | st.none() | blocks
plain_messages = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": texts})
messages = st.lists(plain_messages, max_size=4) | st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", 5]), "content": contents},
        optional={"name": texts, "tool_calls": st.just([{"id": "c", "function": {"arguments": "{}"}}]), "new": free},
    ),
    max_size=4,
)
tools = st.lists(
    st.fixed_dictionaries(
        {"name": texts},
        optional={
            "type": st.sampled_from([None, "custom", "bash_20250124", "web_search_20250305", "web_fetch_20250910"]),
            "max_uses": st.sampled_from([None, 3, "3"]),
            "cache_control": controls,
            "input_schema": free,
        },
    ),
    max_size=3,
)
bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"model": st.sampled_from(["claude-haiku-4-5", "a.b"])},
    optional={
        "messages": messages | free,
        "system": contents,
        "tools": tools | st.none(),
        "max_tokens": st.sampled_from([None, 9]),
        "cache_control": controls,
        "mcp_servers": st.sampled_from([None, [], [{"url": "https://a.example"}]]),
        "container": st.sampled_from([None, {}, {"skills": []}]),
        "fallbacks": st.sampled_from([None, "default", [{"model": "claude-haiku-4-5"}]]),
        "context_management": st.sampled_from([None, {"edits": [{"type": "clear_a"}, {"type": "compact_1"}]}, 5]),
        "metadata": free,
    },
)


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def spaced(body: Any) -> bytes:
    return json.dumps(body).encode()


def odd(body: Any) -> bytes:
    return json.dumps(body, indent=1).encode()


spellings = st.sampled_from([compact, spaced, odd])


def factors_in(factors: CostFactors) -> dict[str, Any]:
    return {name: getattr(factors, name) for name in FACTORS}


def words_of(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except Refusal as refusal:
        return str(refusal)
    return None


@seed(SEED)
@settings(max_examples=1500, deadline=None)
@given(bodies, spellings)
def test_the_look_at_what_is_usual_says_what_a_full_reading_says(body: Any, spell: Callable[[Any], bytes]) -> None:
    print(f"seed {SEED}")  # noqa: T201  to repeat a failure
    source = spell(body)
    members = object_members(source, "the request body")
    if usual_factors(members) is not None:
        assert words_of(lambda: refuse_files(source, members)) is None
    read = read_request(source)
    if isinstance(read, Accepted) and read.factors is not None:
        assert factors_in(read.factors) == factors_in(factors_of(source))


def names_a_file(value: Any) -> bool:
    """The independent judge, which sees every pair: whether a file is named anywhere but in the input of a call."""
    if isinstance(value, list) and not isinstance(value, Pairs):
        return any(names_a_file(inner) for inner in value)
    if not isinstance(value, Pairs):
        return False
    kinds_given = [kind for key, kind in value if key == "type"]
    are_calls = bool(kinds_given) and all(isinstance(kind, str) and kind.endswith("tool_use") for kind in kinds_given)
    return any(
        (key == "file_id" and inner is not None) or (not (are_calls and key == "input") and names_a_file(inner))
        for key, inner in value
    )


class Pairs(list[tuple[str, Any]]):
    """An object with whatever it gives twice."""


repeated = st.lists(
    st.one_of(
        *(st.tuples(st.just(name), values) for name, values in members_of_blocks.items() if name != "input"),
        st.tuples(st.just("type"), kinds),
    ),
    max_size=6,
)


@seed(SEED)
@settings(max_examples=1500, deadline=None)
@given(st.lists(repeated, max_size=3), spellings)
def test_no_file_that_any_reader_could_see_passes_where_a_block_gives_a_key_twice(
    given_blocks: list[list[tuple[str, Any]]], spell: Callable[[Any], bytes]
) -> None:
    print(f"seed {SEED}")  # noqa: T201  to repeat a failure
    parts = (
        b"{" + b",".join(spell(key) + b":" + spell(value) for key, value in block) + b"}" for block in given_blocks
    )
    source = b'{"model":"m","messages":[{"role":"user","content":[' + b",".join(parts) + b"]}]}"
    if names_a_file(json.loads(source, object_pairs_hook=Pairs)):
        assert isinstance(read_request(source), Refused)


TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": 'a "word"\n'}] * 2


@pytest.mark.parametrize("spell", [compact, spaced])
@pytest.mark.parametrize(
    "body",
    [
        {"messages": TURNS},
        {"messages": TURNS, "system": "Be kind."},
        {"messages": [{"role": "user", "content": "\\" * 5 + '"' * 40}]},
        {"messages": [{"role": "user", "content": "schön"}], "system": "schön"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "file_id"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}]}]},
        {"messages": [{"role": "user", "content": [{"tool_use_id": "a", "type": "tool_result", "content": "c"}]}]},
        {"messages": [], "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
    ],
)
def test_what_is_usual_is_told_at_once(body: dict[str, Any], spell: Callable[[Any], bytes]) -> None:
    assert usual_factors(object_members(spell(body), "the request body")) is not None


@pytest.mark.parametrize(
    "content",
    [b'"\xff"', b'[{"type":"text","text":"\xff"}]', b'"\xed\xa0\x80"'],
)
def test_a_text_that_is_no_unicode_is_not_told_and_costs_the_most(content: bytes) -> None:
    for source in (
        b'{"model":"m","messages":[{"role":"user","content":' + content + b"}]}",
        b'{"model":"m","messages":[],"system":' + content + b"}",
    ):
        read = read_request(source)
        assert isinstance(read, Accepted)
        assert read.factors is None or factors_in(read.factors) == factors_in(factors_of(source))
        assert factors_of(source).any_model == (b"text" not in content)


def test_the_input_of_a_call_is_passed_over_and_of_anything_else_it_is_searched() -> None:
    def refused(kind: str) -> bool:
        block = {"type": kind, "input": {"file_id": "file_1"}}
        source = compact({"messages": [{"role": "user", "content": [block]}]})
        return words_of(lambda: refuse_shared_state(source, object_members(source, "the request body"))) is not None

    assert not refused("tool_use")
    assert refused("document")
    assert refused("made_up_in_2031")


TWICE = "an object gives a key twice"


@pytest.mark.parametrize(
    "block",
    [
        '"type":"tool_use","input":{"file_id":"a","file_id":"b"}',
        '"type":"document","type":"tool_use","input":{"file_id":"a"}',
        '"type":"document","input":{"file_id":"a"},"input":{}',
        '"type":"text","text":"a","data":{"file_id":"a"},"data":"b"',
        '"type":"text","citations":[{"file_id":"a"}],"citations":null',
    ],
)
def test_a_block_that_gives_a_key_twice_beside_the_word_is_refused(block: str) -> None:
    source = ('{"model":"m","messages":[{"role":"user","content":[{' + block + "}]}]}").encode()
    assert read_request(source) == Refused(f"messages: {TWICE}")


def test_a_body_nested_as_deeply_as_can_be_decoded_breaks_nothing() -> None:
    for depth in range(100, 2000, 50):
        nested = b'{"content":[' * depth + b"]}" * depth
        source = b'{"model":"m","messages":[{"role":"user","content":[' + nested + b"]}]}"
        if isinstance(read_request(source), Accepted):
            assert factors_of(source).rounds == 1


@pytest.mark.parametrize("place", ["messages", "system"])
def test_what_is_long_is_judged_as_what_is_short(place: str) -> None:
    for count in (1, 400_000):
        blocks = [{"type": "text"}] * count
        content = {"messages": [{"role": "user", "content": blocks}], "system": blocks}
        source = compact({"model": "m", place: content[place]})
        read = read_request(source)
        assert isinstance(read, Accepted)
        assert (read.factors is None) == (count > 1), (
            "long lists of small blocks are decoded into the smallest form only"
        )
        named = source.replace(b'{"type":"text"}]', b'{"type":"document","file_id":"a"}]')
        assert isinstance(read_request(named), Refused)


def test_many_tools_are_judged_as_few_are() -> None:
    for count in (2, 9_000):
        tools = [{"name": "look", "description": "x" * 120}] * count
        source = compact({"model": "m", "tools": tools})
        assert isinstance(read_request(source), Accepted)
        twice = source[:-3] + b',"name":"a"}]}'
        assert read_request(twice) == Refused("an entry of tools gives a key twice")
    assert read_request(compact({"model": "m", "tools": [{}] * 10_001})) == Refused("tools: more than 10000 entries")
