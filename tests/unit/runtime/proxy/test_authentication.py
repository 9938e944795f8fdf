"""Which key a client presents, and which texts can be keys of ours."""

import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.proxy.authentication import (
    PRESENTED_KEY_CHARS_MAX,
    Ambiguous,
    ApiKey,
    ApiKeyFormat,
    Malformed,
    Missing,
    Presentation,
    Presented,
    presented_key,
)

KEY = "sk-cr-canary"
FORMAT = ApiKeyFormat()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], Missing()),
        ([("accept", "*/*")], Missing()),
        ([("x-api-key", "")], Missing()),
        ([("Authorization", "Bearer")], Missing()),
        ([("X-Api-Key", KEY)], Presented(ApiKey(KEY))),
        ([("authorization", f"Bearer {KEY}")], Presented(ApiKey(KEY))),
        ([("Authorization", f"bEARER   {KEY} ")], Presented(ApiKey(KEY))),
        ([("x-api-key", KEY), ("authorization", f"Bearer {KEY}")], Presented(ApiKey(KEY))),
        ([("x-api-key", ""), ("authorization", f"Bearer {KEY}")], Presented(ApiKey(KEY))),
        ([("x-api-key", KEY), ("authorization", "Bearer other")], Ambiguous()),
        ([("x-api-key", KEY), ("x-api-key", "other")], Ambiguous()),
        ([("authorization", "Basic dXNlcjpwYXNz")], Malformed()),
        ([("x-api-key", KEY), ("authorization", "Basic dXNlcjpwYXNz")], Malformed()),
        ([("authorization", KEY)], Malformed()),
        ([("x-api-key", "with space")], Malformed()),
        ([("x-api-key", "caf\xe9")], Malformed()),
        ([("x-api-key", "tab\x00")], Malformed()),
        ([("x-api-key", "k" * PRESENTED_KEY_CHARS_MAX)], Presented(ApiKey("k" * 512))),
        ([("x-api-key", "k" * (PRESENTED_KEY_CHARS_MAX + 1))], Malformed()),
    ],
)
def test_presented_key(headers: list[tuple[str, str]], expected: Presentation) -> None:
    assert presented_key(headers) == expected


def test_nothing_that_holds_a_key_shows_it() -> None:
    found = presented_key([("x-api-key", KEY)])
    assert isinstance(found, Presented)
    shown = [repr(found), str(found), repr(found.key), str(found.key), f"{found.key}"]
    try:
        raise RuntimeError(found)
    except RuntimeError as error:
        shown.append("".join(traceback.format_exception(error)))
    assert not any("canary" in text for text in shown)
    assert found.key.reveal() == KEY


def test_a_key_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(ApiKey(KEY))


@given(st.binary(min_size=32, max_size=32))
def test_a_key_made_of_any_secret_is_accepted_and_of_one_length(secret: bytes) -> None:
    key = FORMAT.key(secret)
    assert len(key.reveal()) == FORMAT.chars == 55
    assert FORMAT.accepts(key)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 54), st.characters(codec="ascii"))
def test_a_key_with_one_wrong_character_is_refused(secret: bytes, at: int, wrong: str) -> None:
    text = FORMAT.key(secret).reveal()
    changed = text[:at] + wrong + text[at + 1 :]
    assert FORMAT.accepts(ApiKey(changed)) == (changed == text)


@given(st.binary(min_size=32, max_size=32), st.integers(6, 52))
def test_two_swapped_characters_are_noticed(secret: bytes, at: int) -> None:
    text = FORMAT.key(secret).reveal()
    changed = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assert FORMAT.accepts(ApiKey(changed)) == (changed == text)


def test_different_secrets_give_different_keys() -> None:
    assert FORMAT.key(b"\x00" * 32) != FORMAT.key(b"\x00" * 31 + b"\x01")
    assert FORMAT.accepts(FORMAT.key(b"\xff" * 32))


def test_a_number_beyond_256_bits_is_no_key() -> None:
    body = "sk-cr-" + "z" * 43
    assert not FORMAT.accepts(ApiKey(body + FORMAT._checksum(body)))


@pytest.mark.parametrize("text", ["", "sk-cr-", "sk-ant-" + "0" * 48, "sk-cr-" + "0" * 49])
def test_a_text_of_another_form_is_no_key(text: str) -> None:
    assert not FORMAT.accepts(ApiKey(text))


def test_a_short_secret_or_an_odd_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        FORMAT.key(b"short")
    with pytest.raises(ValueError, match="prefix"):
        ApiKeyFormat("SK ")
