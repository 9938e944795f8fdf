"""What an entry of `never` forbids, and how something that a policy declares relates to it.

Matching is by meaning, through the ontology. Words that the ontology does not know are compared as words, and a
fideslang key counts where the entry's own words say nothing.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crouter.policy.model import Policy
from crouter.policy.ontology import (
    Words,
    derived_from,
    is_part_of,
    term_of_dpv,
    term_of_key,
    terms_in,
    words_of,
)
from crouter.policy.parts.data import Never

Relation = Literal["same", "part", "derivable"]

KEEPING = frozenset({"collect", "store", "retain", "track"})
"""The verbs that a column would break."""

SINKING = KEEPING | {"log"}
"""The verbs that a log line, a label or a browser's storage would break."""

_TOO_COMMON = 2


@dataclass(frozen=True, slots=True)
class Thing:
    """Something declared: the texts that say what it is, and its terms in the standards."""

    texts: tuple[str, ...]
    key: str = ""
    dpv: str = ""

    @property
    def terms(self) -> frozenset[str]:
        """The kinds of data that it is."""
        return _meaning(self)[0]

    @property
    def words(self) -> tuple[Words, ...]:
        """The words of each text."""
        return _meaning(self)[1]


# The same things are held against every promise.
@functools.lru_cache(maxsize=16_384)
def _meaning(thing: Thing) -> tuple[frozenset[str], tuple[Words, ...]]:
    named = frozenset().union(*(terms_in(text) for text in thing.texts))
    standard = {term_of_key(thing.key) if thing.key else None, term_of_dpv(thing.dpv) if thing.dpv else None}
    terms = (named | {term for term in standard if term}) - {"person"}
    return terms, tuple(words_of(text) for text in thing.texts)


@dataclass(frozen=True, slots=True)
class Scope:
    """One entry of `never`: the kinds of data meant by its label, by what it covers, and what gives them away."""

    name: str
    never: Never
    own: frozenset[str]
    covered: frozenset[str]
    given_away_by: frozenset[str]
    key: str
    own_words: tuple[Words, ...]
    covered_words: tuple[Words, ...]
    giving_words: tuple[Words, ...]

    def relation(self, thing: Thing) -> Relation | None:
        """How a thing relates to what is forbidden, the closest first; None if it does not."""
        terms, words = thing.terms, thing.words
        if terms & self.own or _any_within(self.own_words, words) or (self.key and thing.key == self.key):
            return "same"
        forbidden = self.own | self.covered
        if any(is_part_of(term, whole) for term in terms for whole in forbidden):
            return "part"
        if _any_within(self.covered_words, words) or (self.key and thing.key.startswith(f"{self.key}.")):
            return "part"
        if any(is_part_of(term, source) for term in terms for source in self.given_away_by):
            return "derivable"
        if _any_within(self.giving_words, words) or any(self.follows_from(term) for term in terms):
            return "derivable"
        return None

    def follows_from(self, term: str) -> bool:
        """Whether what is forbidden can be worked out from a kind of data."""
        forbidden = self.own | self.covered
        return any(
            is_part_of(derived, whole) or is_part_of(whole, derived)
            for derived in derived_from(term)
            for whole in forbidden - {"person"}
        )

    def is_broken_by(self, term: str) -> bool:
        """Whether a kind of data is forbidden, or gives away what is."""
        forbidden = (self.own | self.covered) - {"person"}
        told = any(is_part_of(term, whole) for whole in forbidden | self.given_away_by)
        return told or self.follows_from(term)

    def forbids(self, verbs: frozenset[str]) -> str | None:
        """The first of the verbs that the entry forbids, None if it forbids none of them."""
        return next((verb for verb in self.never.not_ if verb in verbs), None)


def scopes(policy: Policy, verbs: frozenset[str]) -> Iterator[tuple[Scope, str]]:
    """What the policy forbids with one of the verbs, and the verb."""
    for name, never in policy.never.items():
        scope = scope_of(name, never)
        if verb := scope.forbids(verbs):
            yield scope, verb


def scope_of(name: str, never: Never) -> Scope:
    """What an entry of `never` means."""
    own = terms_in(never.label)
    by_key = frozenset({term} if not own and (term := term_of_key(never.data_category)) else ())
    return Scope(
        name=name,
        never=never,
        own=own | (by_key - {"person"}),
        covered=frozenset().union(*(terms_in(text) for text in never.covers)),
        given_away_by=frozenset().union(*(terms_in(text) for text in never.derivable_from)),
        # A key as wide as `user` or `user.contact` says little beside words.
        key=never.data_category if not own and never.data_category.count(".") >= 1 else "",
        own_words=() if own else (words_of(never.label),),
        covered_words=tuple(words_of(text) for text in never.covers if not terms_in(text)),
        giving_words=tuple(words_of(text) for text in never.derivable_from if not terms_in(text)),
    )


def _any_within(phrases: tuple[Words, ...], texts: tuple[Words, ...]) -> bool:
    return any(_is_within(phrase, text) for phrase in phrases for text in texts)


def _is_within(phrase: Words, text: Words) -> bool:
    if len(phrase) < _TOO_COMMON:
        return bool(phrase) and phrase == text
    return any(text[start : start + len(phrase)] == phrase for start in range(len(text) - len(phrase) + 1))
