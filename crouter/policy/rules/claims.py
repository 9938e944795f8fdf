"""Each claim leads somewhere: its part exists and fits its kind of sentence, and what enforces it exists."""

from collections.abc import Iterator
from dataclasses import dataclass

from crouter.policy.hints import meant
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import Claim, Policy, SentenceKind
from crouter.policy.parts.promises import DeleteAfter
from crouter.policy.problems import Path
from crouter.policy.rules.frame import Finding, Rule

# What a claim can be about and the words for it; `*` stands for one name.
CATEGORY, FIELD = "data.*", "data.*.*"
NEVER, PROCESSOR, RIGHT = "never.*", "processors.*", "rights.*"
PERIOD, DELETION = "retention.* with keep", "retention.* with event"

FITTING: dict[SentenceKind, tuple[str, ...]] = {
    "collects": (CATEGORY,),
    "pays": (PROCESSOR,),
    "excludes": (NEVER,),
    "passes_through": (NEVER,),
    "office": ("controller.office",),
    "uses": (CATEGORY, FIELD),
    "processor": (PROCESSOR,),
    "seals_keys": ("security.keys",),
    "encrypts_transport": ("security.https",),
    "runs_at_edge": ("security.edge",),
    "retains": (PERIOD,),
    "deletes": (DELETION,),
    "right": (RIGHT,),
    "answers": ("requests",),
    "sets_cookies": ("cookies",),
    "measures": ("analytics",),
    "no_advertising": (NEVER,),
    "may_change": ("policy.version",),
    "announces_changes": ("policy.changes",),
    "accepts_changes": ("policy.changes.acceptance",),
    "contact": ("controller.contact",),
}
"""The parts that each kind of sentence is composed from."""

ABOUT_PARTS = ("analytics", "cookies", "data", "never", "processors", "requests", "retention", "rights", "security")
"""The parts that decide whether an `about` leads somewhere; the others that claims can be about are always there."""


@dataclass(frozen=True, slots=True)
class PlacedClaim:
    """A claim with its id and its path."""

    name: str
    path: Path
    claim: Claim


def placed_claims(policy: Policy) -> Iterator[PlacedClaim]:
    """Every claim, in the order of the document."""
    for index, section in enumerate(policy.sections):
        for name, claim in section.claims.items():
            yield PlacedClaim(name, ("sections", index, "claims", name), claim)


def parts_spoken_about(policy: Policy) -> dict[str, str]:
    """Every path that a claim can be about, and what it is: a value of `FITTING`."""
    found = {path: path for kinds in FITTING.values() for path in kinds if "*" not in path}
    if policy.analytics is None:
        del found["analytics"]
    if policy.security.edge is None:
        del found["security.edge"]
    for name, category in policy.data.items():
        found[f"data.{name}"] = CATEGORY
        found |= {f"data.{name}.{field}": FIELD for field in category.fields}
    found |= {f"never.{name}": NEVER for name in policy.never}
    found |= {f"processors.{name}": PROCESSOR for name in policy.processors}
    found |= {f"rights.{name}": RIGHT for name in policy.rights}
    for name, rule in policy.retention.items():
        found[f"retention.{name}"] = DELETION if isinstance(rule, DeleteAfter) else PERIOD
    return found


def _known_abouts(policy: Policy) -> Iterator[Finding]:
    known = parts_spoken_about(policy)
    for placed in placed_claims(policy):
        about = placed.claim.about
        if about not in known:
            sentence = f"`{about}` is nothing that a sentence can be about"
            fitting = [path for path, kind in known.items() if kind in FITTING[placed.claim.says]]
            yield Finding((*placed.path, "about"), sentence, meant(about, fitting))


def _fitting_abouts(policy: Policy) -> Iterator[Finding]:
    known = parts_spoken_about(policy)
    for placed in placed_claims(policy):
        says, about = placed.claim.says, placed.claim.about
        if about in known and known[about] not in FITTING[says]:
            fitting = " or ".join(FITTING[says])
            sentence = f"`says: {says}` is about {fitting}, and `{about}` is none"
            others = [kind for kind, parts in FITTING.items() if known[about] in parts]
            yield Finding((*placed.path, "about"), sentence, f"about {about} a claim can say: {', '.join(others)}")


def _words_to_say(policy: Policy) -> Iterator[Finding]:
    """A category without fields has no purpose that a sentence could name."""
    for placed in placed_claims(policy):
        category = policy.data.get(placed.claim.about.removeprefix("data."))
        if placed.claim.says == "uses" and category is not None and not category.fields:
            sentence = f"{placed.claim.about} has no fields, so there is no use of them to tell"
            yield Finding((*placed.path, "about"), sentence, "delete the claim, or say: collects")


def _mechanisms(policy: Policy) -> Iterator[Finding]:
    for placed in placed_claims(policy):
        for index, name in enumerate(placed.claim.enforced_by):
            if name not in MECHANISMS:
                path = (*placed.path, "enforced_by", index)
                yield Finding(path, f"the library has no mechanism `{name}`", meant(name, MECHANISMS))


def _ids(policy: Policy) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for placed in placed_claims(policy):
        section = int(placed.path[1])
        known = first.setdefault(placed.name, section)
        if known != section:
            sentence = f"the section “{policy.sections[known].title}” has a claim {placed.name} already"
            yield Finding(placed.path, sentence, "choose another id for the new one", at_key=True)


def _titles(policy: Policy) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, section in enumerate(policy.sections):
        if section.title in seen:
            sentence = "another section has this title already"
            yield Finding(("sections", index, "title"), sentence, "choose another title, or join the two sections")
        seen.add(section.title)


RULES = (
    Rule("PR-06", ("sections",), _mechanisms),
    Rule("PR-07", (*ABOUT_PARTS, "sections"), _known_abouts),
    Rule("PR-08", (*ABOUT_PARTS, "sections"), _fitting_abouts),
    Rule("PR-08", ("data", "sections"), _words_to_say),
    Rule("PR-50", ("sections",), _ids),
    Rule("PR-51", ("sections",), _titles),
)
