"""The cheap answer to whether a key stands twice is never wrong where it is given."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.proxy.repeated_keys import accounts_for_all, accounts_for_each
from crouter.runtime.proxy.request import Refused, read_request


def members(source: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(source, type=dict[str, msgspec.Raw])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), json_values, min_size=1, max_size=6)


@given(objects)
def test_both_usual_spellings_are_known(value: dict[str, object]) -> None:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    spaced = json.dumps(value).encode()
    for source in (compact, spaced):
        try:
            found = members(source)
        except msgspec.MsgspecError:
            continue  # a text that is no Unicode
        assert accounts_for_all(source, found)


# Members whose text may be cut and joined in confusing ways.
pieces = st.sampled_from(
    ('"a":1', '"a": 1', '"b":1', '"b": 22', '"a":"x, \\"b\\": 1"', '"b":{"a": 1}', '"\\u0061":1', '"a" :1', '"b": [ ]')
)


@given(st.lists(pieces, min_size=1, max_size=5), st.sampled_from((",", ", ", " ,")))
def test_an_object_with_a_key_twice_is_never_accounted_for(parts: list[str], comma: str) -> None:
    source = ("{" + comma.join(parts) + "}").encode()
    pairs = json.loads(source, object_pairs_hook=list)
    if len({name for name, _ in pairs}) < len(pairs):
        assert not accounts_for_all(source, members(source))


@pytest.mark.parametrize("size", [10, 40_000])
def test_a_long_body_is_judged_as_a_short_one(size: int) -> None:
    body = json.dumps({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "x" * size}]}).encode()
    assert accounts_for_all(body, members(body))
    twice = body[:-1] + b', "model": "claude-opus-4-5"}'
    assert not accounts_for_all(twice, members(twice))
    assert isinstance(read_request(twice), Refused)


def test_so_few_bytes_that_no_member_stands_in_them_are_not_looked_at() -> None:
    for blanks in range(20):
        once = b'{"model":"a",' + b" " * blanks + b'"x":1}'
        # The shortest member that could have been given before: ,"x":0
        assert accounts_for_all(once, members(once)) == (blanks < len(b',"x":0'))
    for twice in (b'{"x":0,"model":"a","x":1}', b'{"":0,"":1}', b'{"":0,"a":1,"":2}'):
        assert not accounts_for_all(twice, members(twice))


def object_list(source: bytes) -> list[dict[str, msgspec.Raw]]:
    return msgspec.json.decode(source, type=list[dict[str, msgspec.Raw]])


@given(st.lists(objects | st.just({}), max_size=12), st.integers(0, 11), st.booleans())
def test_objects_of_a_list_are_accounted_for_together(
    values: list[dict[str, object]], place: int, is_repeated: bool
) -> None:
    parts = [json.dumps(value, separators=(",", ":")) for value in values]
    if is_repeated and place < len(values) and values[place]:
        key = json.dumps(next(iter(values[place])))
        parts[place] = "{" + key + ":0," + parts[place][1:]
    else:
        is_repeated = False
    source = ("[" + ",".join(parts) + "]").encode()
    try:
        found = object_list(source)
    except msgspec.MsgspecError:
        return  # a text that is no Unicode
    assert accounts_for_each(len(source), found) == (not is_repeated)
