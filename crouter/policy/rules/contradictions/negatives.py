"""A text that says that something is never done has an entry of `never` behind it."""

import re
from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.ontology import is_part_of, terms_in
from crouter.policy.parts.data import Verb
from crouter.policy.problems import Path
from crouter.policy.rules.contradictions.parties import EVERYTHING
from crouter.policy.rules.contradictions.scope import scope_of
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.texts import texts_of

_NEGATIVE = re.compile(
    r"\b(?:never|(?:do|does|will|is|are|did|can|would) ?(?:not|n[’']t)(?: ever)?|don[’']t|won[’']t|doesn[’']t"
    r"|without(?: ever)?"
    r"|nobody|no one|nothing is(?: ever)?)\s+(?:be(?:ing)? )?(?:\w+ly )?"
    r"(?P<verb>collect|stor|log|retain|keep|kept|track|shar|sell|sold|rent|record|sav|disclos|profil|monitor)"
    r"(?:e|es|ed|s|ing|ging|ged)?\b",
    re.IGNORECASE,
)
_VERBS: dict[str, tuple[Verb, ...]] = {
    "collect": ("collect",),
    "stor": ("store", "collect"),
    "sav": ("store", "collect"),
    "log": ("log", "store", "collect"),
    "record": ("store", "log", "collect"),
    "retain": ("retain", "store", "collect"),
    "keep": ("retain", "store", "collect"),
    "kept": ("retain", "store", "collect"),
    "track": ("track", "collect"),
    "profil": ("track", "collect"),
    "monitor": ("track", "collect"),
    "shar": ("share",),
    "disclos": ("share",),
    "sell": ("sell",),
    "sold": ("sell",),
    "rent": ("rent",),
}
"""The verb that a text uses, and what an entry of `never` has to forbid for it, the least first."""

_NO_DATA_LEAVES = re.compile(
    r"\bno (?:data|information|logs?|personal data)( \w+)? (?:is|are) (?:ever )?"
    r"(?P<verb>collect|stor|log|retain|kept|shar|sold|record)"
    r"|\b(?:no[- ]logs?|logless|zero[- ]logs?)\b",
    re.IGNORECASE,
)


_MARKETING = re.compile(r"marketing|advert", re.IGNORECASE)


def _negatives(policy: Policy) -> Iterator[Finding]:
    promised = {verb for never in policy.never.values() for verb in never.not_}
    for path, text in texts_of(policy):
        if path[0] in ("never", "analytics", "waivers") or _is_composed(policy, path):
            continue
        for match in (*_NEGATIVE.finditer(text), *_NO_DATA_LEAVES.finditer(text)):
            verbs = _VERBS[(match["verb"] or "log").lower()]
            if verbs == ("share",) and _MARKETING.search(text):
                verbs = ("share_for_marketing", "share")
            about = terms_in(text[match.end() :]) or terms_in(text[: match.start()])
            if match.re is _NO_DATA_LEAVES:
                # Nothing at all: only a promise about all personal data is as wide.
                about = frozenset({"person"})
            if not promised & set(verbs) or (about and not _is_promised(policy, about, verbs)):
                sentence = f"the text says “{match[0].strip()}”, and no entry of `never` forbids that"
                yield Finding(path, sentence, f"add an entry to `never` with `not: [{verbs[0]}]`, or delete the words")


def _is_promised(policy: Policy, about: frozenset[str], verbs: tuple[Verb, ...]) -> bool:
    for name, never in policy.never.items():
        scope = scope_of(name, never)
        meant = scope.own | scope.covered
        if set(never.not_) & set(verbs) and all(any(is_part_of(one, whole) for whole in meant) for one in about):
            return True
    return False


def _is_composed(policy: Policy, path: Path) -> bool:
    """Whether it is the title over a promise: the sentences below say what is meant."""
    if path[0] != "sections":
        return False
    claims = policy.sections[int(path[1])].claims.values()
    return any(claim.says in ("excludes", "passes_through", "no_advertising") for claim in claims)


RULES = (Rule("PX-30", EVERYTHING, _negatives),)
