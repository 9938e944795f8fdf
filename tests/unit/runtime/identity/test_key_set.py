"""Keys of the provider: how long they are believed, how often they are asked for, and which ones count."""

from collections.abc import Mapping
from typing import Any

import pytest

from crouter.runtime.identity.key_set import FRESH_SECONDS, KEYS_MAX, PAUSE_SECONDS, USABLE_SECONDS, KeySet
from crouter.runtime.identity.provider import ProviderAwayError
from tests.contract.supabase_auth.signing import SigningKeys


class Provider:
    """Gives what it was told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.keys = SigningKeys()
        self.answer: Mapping[str, Any] | None = None
        self.is_away = False
        self.asked = 0
        self.now = 1000.0

    async def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.is_away:
            raise ProviderAwayError
        return self.keys.published() if self.answer is None else self.answer

    def key_set(self) -> KeySet:
        return KeySet(self.fetch, lambda: self.now)


async def test_keys_are_asked_for_once_while_they_are_fresh() -> None:
    provider = Provider()
    keys = provider.key_set()
    for _ in range(3):
        assert await keys.key(provider.keys.newest) is not None
    assert provider.asked == 1
    provider.now += FRESH_SECONDS
    assert await keys.key(provider.keys.newest) is not None
    assert provider.asked == 2


async def test_a_new_key_is_found_after_a_pause_and_unknown_ones_ask_no_more_often() -> None:
    provider = Provider()
    keys = provider.key_set()
    await keys.key(provider.keys.newest)
    new = provider.keys.rotate()
    assert await keys.key(new) is None
    provider.now += PAUSE_SECONDS
    assert await keys.key(new) is not None
    for name in range(50):
        assert await keys.key(f"unknown-{name}") is None
    assert provider.asked == 2


async def test_known_keys_are_believed_for_an_hour_without_the_provider() -> None:
    provider = Provider()
    keys = provider.key_set()
    known = provider.keys.newest
    await keys.key(known)
    provider.is_away = True
    provider.now += USABLE_SECONDS - 1
    assert await keys.key(known) is not None
    provider.now += PAUSE_SECONDS
    with pytest.raises(ProviderAwayError):
        await keys.key(known)
    with pytest.raises(ProviderAwayError):
        await keys.key(known)


async def test_only_a_few_asymmetric_keys_for_signatures_count() -> None:
    provider = Provider()
    good = provider.keys.public(provider.keys.newest)
    others: list[Any] = [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"},
        {**good, "kid": "for encryption", "use": "enc"},
        {**good, "kid": "other algorithm", "alg": "HS256"},
        {**good, "kid": "no curve", "crv": "P-0"},
        {**good, "kid": ""},
        {**good, "kid": 7},
        "no key",
        None,
    ]
    provider.answer = {"keys": [*others, good]}
    keys = provider.key_set()
    assert await keys.key(good["kid"]) is not None
    for other in others[:5]:
        assert await keys.key(other["kid"]) is None
    provider.answer = {"keys": [*[{**good, "kid": str(n)} for n in range(KEYS_MAX)], good]}
    provider.now += FRESH_SECONDS
    assert await keys.key(good["kid"]) is None


@pytest.mark.parametrize("answer", [{}, {"keys": None}, {"keys": {}}, {"keys": []}])
async def test_an_answer_without_keys_has_no_key(answer: Mapping[str, Any]) -> None:
    provider = Provider()
    provider.answer = answer
    assert await provider.key_set().key("any") is None
