"""Words, keys and terms lead to the same kinds of data, whatever their spelling."""

import pytest

from crouter.policy.ontology import derived_from, is_part_of, term_of_dpv, term_of_key, terms_in, words_of
from crouter.policy.ontology_terms import HEADERS, NO_DATA, TERMS

SPELLINGS = {
    "ip_address": ("client_ip", "clientIP", "IP addresses", "X-Forwarded-For", "remote_addr", "Internet address"),
    "city": ("city", "Cities", "your city", "visitor-city", "user.city"),
    "coordinates": ("latitude", "GPS coordinates", "lng"),
    "email": ("e-mail address", "E-Mail", "emailAddress", "email"),
    "card_code": ("CVC", "security codes", "cvv2"),
    "system_prompt": ("system prompts", "systemPrompt"),
    "user_agent": ("User-Agent", "user agents"),
}  # fmt: skip


@pytest.mark.parametrize(("term", "text"), [(term, text) for term, texts in SPELLINGS.items() for text in texts])
def test_a_spelling_is_understood(term: str, text: str) -> None:
    assert term in terms_in(text)


@pytest.mark.parametrize("text", ["output_tokens", "content type", "host name", "", "§", "take place", *NO_DATA])
def test_other_words_are_not_taken_for_data(text: str) -> None:
    assert terms_in(text) == frozenset()


def test_the_longest_words_count() -> None:
    assert terms_in("email address") == {"email"}
    assert terms_in("billing address and email") == {"address", "email"}


def test_parts_and_derivations() -> None:
    assert is_part_of("postal_code", "location")
    assert not is_part_of("location", "city")
    assert {"location", "country", "device_id"} <= derived_from("ip_address")
    assert "device" in derived_from("user_agent")
    assert derived_from("email") == frozenset()


def test_keys_and_terms_of_the_standards() -> None:
    assert term_of_key("user.location.precise") == "coordinates"
    assert term_of_key("user.contact.fax") == "contact"
    assert term_of_key("system.operations") is None
    assert term_of_dpv("IPAddress") == "ip_address"


def test_the_table_is_closed() -> None:
    for name, term in TERMS.items():
        assert not term.part_of or term.part_of in TERMS
        assert all(derived in TERMS for derived in term.derives), name
    assert {term for term, _ in HEADERS.values()} <= TERMS.keys()
    words = [words_of(word) for term in TERMS.values() for word in term.words]
    assert len(words) == len(set(words)), [word for word in words if words.count(word) > 1]
