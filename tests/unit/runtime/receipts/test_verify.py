"""A receipt is judged by its issuer, its form and its own arithmetic."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import compact
from crouter.runtime.receipts.keys import KeySet, SigningKeys, read_key_set
from crouter.runtime.receipts.verify import ChargedCount, verify
from tests.unit.runtime.receipts.receipt_keys import COST, ISSUER, claims, receipt, ring

KEYS = SigningKeys(ring(b"a"))
KEY_SET = read_key_set(KEYS.published(ISSUER))
LINE = {"count": "input_tokens", "quantity": 1, "nanousd_each": 1}


def test_a_receipt_says_what_was_signed_and_its_cost_follows_from_its_rates() -> None:
    found = verify(receipt(KEYS), KEY_SET)
    assert found.claims == claims()
    assert found.charged[0] == ChargedCount("input_tokens", 1200, 3000)
    assert (found.recomputed_nanousd, found.cost_agrees, found.differences) == (COST, True, ())


@pytest.mark.parametrize("changed", [{"cost_nanousd": COST + 1}, {"charged": []}, {"charged": [LINE]}])
def test_a_cost_that_does_not_follow_from_the_rates_is_seen(changed: dict[str, Any]) -> None:
    assert not verify(receipt(KEYS, **changed), KEY_SET).cost_agrees


def test_what_was_charged_in_another_quantity_than_reported_is_named() -> None:
    lines = [{"count": "input_tokens", "quantity": 5000, "nanousd_each": 1}, {**LINE, "count": "output_tokens"}]
    found = verify(receipt(KEYS, charged=lines, cost_nanousd=5001), KEY_SET)
    assert found.cost_agrees
    assert ("input_tokens", 1200, 5000) in found.differences
    assert ("output_tokens", 300, 1) in found.differences
    assert ("cache_creation.ephemeral_1h_input_tokens", 40, 0) in found.differences


def test_a_receipt_without_rates_is_genuine_and_says_nothing_about_its_cost() -> None:
    found = verify(receipt(KEYS, charged=None), KEY_SET)
    assert (found.recomputed_nanousd, found.cost_agrees, found.differences) == (None, True, ())


def test_another_issuer_is_refused() -> None:
    text = receipt(KEYS, iss="https://elsewhere.example")
    with pytest.raises(ReceiptRefusedError, match="issuer"):
        verify(text, KEY_SET)
    with pytest.raises(ReceiptRefusedError, match="issuer"):
        verify(receipt(KEYS), KEY_SET, "https://elsewhere.example")
    assert verify(text, KEY_SET, "https://elsewhere.example").cost_agrees


def test_keys_that_do_not_say_whose_they_are_need_an_issuer() -> None:
    nameless = KeySet("", KEY_SET.keys)
    with pytest.raises(ReceiptRefusedError, match="no issuer was given"):
        verify(receipt(KEYS), nameless)
    assert verify(receipt(KEYS), nameless, ISSUER).cost_agrees


@pytest.mark.parametrize(
    "changed",
    [
        {"jti": 7},
        {"iat": "now"},
        {"cost_nanousd": -1},
        {"cost_nanousd": 1.0},
        {"cost_nanousd": True},
        {"currency": "EUR"},
        {"usage": [1]},
        {"usage": {"input_tokens": "5"}},
        {"usage": {"cache_creation": {"ephemeral_5m_input_tokens": -1}}},
        {"further_counts": {"a": 1.5}},
        {"model": 5},
        {"charged": {}},
        {"charged": [7]},
        {"charged": [{**LINE, "more": 1}]},
        {"charged": [{**LINE, "count": "mood"}]},
        {"charged": [{**LINE, "count": {}}]},
        {"charged": [{**LINE, "quantity": -1}]},
        {"charged": [{**LINE, "nanousd_each": 0.5}]},
    ],
)
def test_another_form_is_refused_even_if_it_is_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(ReceiptRefusedError, match="not in a form"):
        verify(receipt(KEYS, **changed), KEY_SET)


def test_claims_of_a_later_version_are_left_alone() -> None:
    assert verify(receipt(KEYS, later={"a": [1]}), KEY_SET).claims["later"] == {"a": [1]}


def test_another_kind_of_token_by_the_same_key_is_no_receipt() -> None:
    with pytest.raises(ReceiptRefusedError, match="another kind"):
        verify(KEYS.sign(compact(claims()), "JWT"), KEY_SET)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**8)), max_size=6))
def test_the_cost_is_the_sum_of_the_products(lines: list[tuple[int, int]]) -> None:
    charged = [{"count": "output_tokens", "quantity": quantity, "nanousd_each": each} for quantity, each in lines]
    total = 0
    for quantity, each in lines:
        total += quantity * each
    assert verify(receipt(KEYS, charged=charged, cost_nanousd=total), KEY_SET).cost_agrees
