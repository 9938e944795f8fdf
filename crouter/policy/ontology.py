"""What a word, a fideslang key or a DPV term means, what is part of it, and what it gives away.

Words are matched after normalising, the longest first, so that "email address" is no postal address. Knows nothing of
policies.
"""

import functools
import re
from collections.abc import Iterator

from crouter.policy.ontology_terms import NO_DATA, TERMS

Words = tuple[str, ...]

_EMPTY = frozenset({"a", "an", "the", "your", "our", "their", "its", "his", "her", "any", "all"})
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_KEPT_PLURALS = frozenset({"gps", "address", "addres", "https", "ios", "dns", "cors", "status", "analytics", "is"})
_LENGTH_MAX = 6


def words_of(text: str) -> Words:
    """The words of a text or of an identifier, in lower case and singular, without articles and possessives."""
    found = (_singular(word.lower()) for word in _SPLIT.findall(text.replace("ipv", "ip v").replace("IPv", "ip v")))
    return tuple(word for word in found if word not in _EMPTY)


def _singular(word: str) -> str:
    if word in _KEPT_PLURALS or len(word) < 3 or word.endswith("ss") or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "shes", "ches")):
        return word[:-2]
    return word if word.endswith("us") else word[:-1]


@functools.lru_cache(maxsize=4096)
def terms_in(text: str) -> frozenset[str]:
    """The kinds of data that a text names."""
    words, found, start = words_of(text), set(), 0
    while start < len(words):
        length, term = next(_matches(words, start), (1, None))
        if term:
            found.add(term)
        start += length
    return frozenset(found)


def _matches(words: Words, start: int) -> Iterator[tuple[int, str | None]]:
    """Longest first, the phrases of the table that begin at a word: number of words and kind of data."""
    for length in range(min(_LENGTH_MAX, len(words) - start), 0, -1):
        phrase = words[start : start + length]
        if phrase in _phrases():
            yield length, _phrases()[phrase]


@functools.lru_cache(maxsize=1)
def _phrases() -> dict[Words, str | None]:
    known: dict[Words, str | None] = {words_of(words): name for name, term in TERMS.items() for words in term.words}
    return {**known, **{words_of(words): None for words in NO_DATA}}


def term_of_key(key: str) -> str | None:
    """The kind of data of a fideslang key: of the longest beginning of the key that the table has."""
    steps = key.split(".")
    known = _keys()
    return next((known[part] for end in range(len(steps), 0, -1) if (part := ".".join(steps[:end])) in known), None)


@functools.lru_cache(maxsize=1)
def _keys() -> dict[str, str]:
    return {key: name for name, term in TERMS.items() for key in term.keys}


def term_of_dpv(term: str) -> str | None:
    """The kind of data of a term of DPV's personal data extension."""
    return _dpv().get(term)


@functools.lru_cache(maxsize=1)
def _dpv() -> dict[str, str]:
    return {dpv: name for name, term in TERMS.items() for dpv in term.dpv}


@functools.lru_cache(maxsize=512)
def wholes_of(term: str) -> frozenset[str]:
    """The kind of data itself and all that it is part of."""
    part_of = TERMS[term].part_of
    return frozenset({term}) | (wholes_of(part_of) if part_of else frozenset())


def is_part_of(term: str, whole: str) -> bool:
    """Whether one kind of data is the other or belongs to it: a city is part of a location."""
    return whole in wholes_of(term)


@functools.lru_cache(maxsize=512)
def derived_from(term: str) -> frozenset[str]:
    """What can be worked out from a kind of data, in one step or several."""
    found: set[str] = set()
    rest = list(TERMS[term].derives)
    while rest:
        derived = rest.pop()
        if derived not in found:
            found.add(derived)
            rest += TERMS[derived].derives
    return frozenset(found)


def label_of(term: str) -> str:
    """What people call a kind of data."""
    return TERMS[term].words[0] if TERMS[term].words else term
