"""Own words of a claim: every value in them is bound to the policy, and each language says every claim."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from crouter.policy.hints import listed
from crouter.policy.model import Policy, SentenceKind
from crouter.policy.parts.promises import DeleteAfter
from crouter.policy.paths import NoSuchValueError, full_path, value_at
from crouter.policy.placeholders import FORMS, Placeholder, StrayBrace, pieces_of, placeholders, typed_text
from crouter.policy.problems import Path, is_showable, shown
from crouter.policy.rules.claims import placed_claims
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.statements import STATEMENTS
from crouter.policy.types import Duration

# A number, in digits or as a word, and a unit of time.
_PERIODS: Final[Mapping[str, re.Pattern[str]]] = {
    "en": re.compile(
        r"\b(\d+|one|two|three|six|twelve|thirty|sixty|ninety)[ -](second|minute|hour|day|week|month|year)s?\b", re.I
    ),
    "de": re.compile(
        r"\b(\d+|ein\w*|zwei|drei|sechs|zwölf|dreißig) (sekunde|minute|stunde|tag|woche|monat|jahr)(e|n|en|s|es)?\b",
        re.I,
    ),
    "fr": re.compile(
        r"\b(\d+|une?|deux|trois|six|douze|trente) (seconde|minute|heure|jour|semaine|mois|an|année)s?\b", re.I
    ),
}
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_DAY: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
# What the words of a deadline may not leave out.
_DEADLINES: Final[Mapping[SentenceKind, str]] = {"retains": "keep", "deletes": "within", "answers": "deadline"}


def _placed_words(policy: Policy) -> Iterator[tuple[Path, str, str]]:
    for placed in placed_claims(policy):
        for locale, words in placed.claim.words.items():
            yield (*placed.path, "words", locale), locale, words


def _unknown(policy: Policy) -> Iterator[Finding]:
    for path, _, words in _placed_words(policy):
        for piece in pieces_of(words):
            if isinstance(piece, StrayBrace):
                yield Finding(path, "a brace stands alone", "write {{ or }} for a brace that is meant")
            elif isinstance(piece, Placeholder) and (problem := _problem_of(piece, policy)):
                yield Finding(path, *problem)


def _problem_of(placeholder: Placeholder, policy: Policy) -> tuple[str, str] | None:
    """What is wrong with a placeholder, and a hint. Nothing is said about parts that have mistakes of their own."""
    name = placeholder.path
    head = name.partition(".")[0]
    if head in Policy.model_fields and head not in policy.__dict__:
        return None
    hint = "a placeholder is a path of this file, such as {retention.usage.keep} or {controller.contact}"
    try:
        found = value_at(policy, full_path(policy, name))
    except NoSuchValueError:
        return f"{shown('{' + name + '}', 'a placeholder')} leads to nothing in the policy", hint
    if placeholder.form and placeholder.form not in FORMS:
        return f"a placeholder has no form {shown(placeholder.form, 'of this name')}", f"known are: {listed(FORMS)}"
    if placeholder.form and not isinstance(found, Duration):
        return f"{shown(name, 'the placeholder')} is no period and has no dative", f"write {{{name}}}"
    return None


def _typed_out(policy: Policy) -> Iterator[Finding]:
    values = sorted(_values(policy), key=lambda value: -len(value[0]))
    for path, locale, words in _placed_words(policy):
        rest = typed_text(words)
        for text, bound in values:
            pattern = re.compile(rf"(?<![\w@.-]){re.escape(text)}(?![\w@-])")
            if pattern.search(rest):
                rest = pattern.sub("\0", rest)
                yield Finding(path, f"{shown(text, 'a value')} is typed out", f"write {{{bound}}}")
        periods = _PERIODS.get(locale, _PERIODS["en"])
        for match in (*periods.finditer(rest), *_ADDRESS.finditer(rest), *_DAY.finditer(rest)):
            yield Finding(path, f"{shown(match[0], 'a value')} is typed out", _hint_for(match[0], policy))


def _values(policy: Policy) -> Iterator[tuple[str, str]]:
    """Values that a sentence would say as they stand in the policy: names, addresses, laws. With their paths."""
    yield policy.controller.contact, "controller.contact"
    yield policy.service.url, "service.url"
    yield policy.service.name, "service.name"
    yield policy.security.keys.encryption, "security.keys.encryption"
    yield policy.security.keys.lookup, "security.keys.lookup"
    if policy.security.edge is not None:
        yield policy.security.edge.runtime, "security.edge.runtime"
    for name, processor in policy.processors.items():
        yield processor.label, f"processors.{name}.label"
        yield from ((host, f"processors.{name}.hosts.{n}") for n, host in enumerate(processor.hosts))
    for name, rule in policy.retention.items():
        if isinstance(rule, DeleteAfter):
            for number, exception in enumerate(rule.exceptions):
                yield exception.law, f"retention.{name}.exceptions.{number}.law"


def _hint_for(text: str, policy: Policy) -> str:
    number = re.match(r"\d+", text)
    for name, rule in policy.retention.items():
        key = "within" if isinstance(rule, DeleteAfter) else "keep"
        period = getattr(rule, key)
        if number and isinstance(period, Duration) and number[0] in re.findall(r"\d+", period.text):
            return f"write {{retention.{name}.{key}}} if that is the period which is meant"
    return "bind it: put the path of the value in braces, and declare the value where there is none"


def _unsaid_locales(policy: Policy) -> Iterator[Finding]:
    for locale in policy.policy.locales:
        if locale == policy.policy.locale:
            yield Finding(
                ("policy", "locales", locale), f"`{locale}` is the language of the document already", "delete it"
            )
            continue
        for placed in placed_claims(policy):
            if locale not in placed.claim.words:
                hint = f"add `words: {{{locale}: …}}`: the library composes in {policy.policy.locale} only"
                yield Finding(placed.path, f"{placed.name} has no words in {locale}", hint, at_key=True)
        for number, section in enumerate(policy.sections):
            if locale not in section.titles:
                hint = f"add `titles: {{{locale}: …}}` to the section"
                yield Finding(("sections", number, "title"), f"the section has no title in {locale}", hint)


def _unpublished(policy: Policy) -> Iterator[Finding]:
    published = {policy.policy.locale, *policy.policy.locales}
    hint = "add the language to policy.locales with title and description, or delete the words"
    for path, locale, _ in _placed_words(policy):
        if locale not in published:
            yield Finding(path, f"no document is published in {locale}", hint, at_key=True)
    for number, section in enumerate(policy.sections):
        for locale in section.titles:
            if locale not in published or locale == policy.policy.locale:
                path = ("sections", number, "titles", locale)
                yield Finding(path, f"no further document is published in {locale}", hint, at_key=True)


def _unbound(policy: Policy) -> Iterator[Finding]:
    for placed in placed_claims(policy):
        claim = placed.claim
        if STATEMENTS[claim.says] == "fact":
            continue
        about = _full(policy, claim.about)
        for locale, words in claim.words.items():
            path = (*placed.path, "words", locale)
            bound = [_full(policy, placeholder.path) for placeholder in placeholders(words)]
            inside = [one for one in bound if one[: len(about)] == about or about[: len(one)] == one]
            key = _DEADLINES.get(claim.says)
            if not inside:
                yield Finding(path, f"nothing in the words is bound to {claim.about}", _example(claim.about))
            elif key and (*about, key) not in bound:
                yield Finding(path, "the words leave the deadline out", f"write {{{claim.about}.{key}}} into them")


def _example(about: str) -> str:
    return f"write at least one value of it in braces, for example {{{about}.…}}" if is_showable(about) else "bind one"


def _full(policy: Policy, name: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, full_path(policy, name)))
    except NoSuchValueError:
        # Another rule speaks of it.
        return tuple(name.split("."))


RULES = (
    Rule("PR-70", ("sections",), _unknown),
    Rule("PR-71", ("controller", "service", "security", "processors", "retention", "sections"), _typed_out),
    Rule("PR-72", ("policy", "sections"), _unsaid_locales),
    Rule("PR-73", ("sections",), _unbound),
    Rule("PR-74", ("policy", "sections"), _unpublished),
)
