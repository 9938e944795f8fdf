"""The thread of each sentence: its values, what is declared for it, what enforces it, what proves that.

One thread for one claim; `Declared` things find the claims that speak of them here too. Where the things stand in
files is for whoever prints a thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crouter.plan.document import DocumentClaim
from crouter.plan.phrases import Sentence, Value
from crouter.plan.plan import Plan
from crouter.plan.sentences.topic import topic_of
from crouter.policy.model import Claim, Policy
from crouter.policy.problems import Path
from crouter.policy.rules.claims import placed_claims
from crouter.policy.statements import StatementKind, statement_of
from crouter.proof.declared import Declared, Kind, declared_by
from crouter.proof.registry import ProvingTest, Registry

# What no sentence names one by one is spoken of by the sentences that one of these mechanisms enforces.
_GOVERNED_BY: Final[Mapping[Kind, tuple[str, ...]]] = {
    "log field": ("declared_log_fields",),
    "metric": ("declared_metrics", "declared_log_fields"),
    "metric label": ("declared_metrics", "declared_log_fields"),
    "request header": ("header_filter",),
    "response header": ("header_filter",),
}


@dataclass(frozen=True, slots=True)
class Enforcement:
    """One mechanism of a claim and the tests that prove it."""

    mechanism: str
    tests: tuple[ProvingTest, ...]


@dataclass(frozen=True, slots=True)
class Thread:
    """Everything behind one claim. `path` is the claim's place in policy.yaml, `paths` are the values it says."""

    claim: DocumentClaim
    declaration: Claim
    path: Path
    statement: StatementKind
    paths: tuple[str, ...]
    declared: tuple[Declared, ...]
    enforced: tuple[Enforcement, ...]
    tests: tuple[ProvingTest, ...]
    """All tests of the claim, those that are about the sentence itself included."""


def threads(plan: Plan, registry: Registry) -> tuple[Thread, ...]:
    """The thread of every claim, in the order of the document."""
    composed = {claim.id: claim for claim in plan.document.claims}
    things = declared_by(plan.deployment, plan.policy)
    speaking = {thing: claims_of(thing, plan) for thing in things}
    found = []
    for placed in placed_claims(plan.policy):
        enforced = tuple(
            Enforcement(name, registry.for_mechanism(placed.name, placed.claim, name))
            for name in placed.claim.enforced_by
        )
        tests = registry.for_claim(placed.name, placed.claim) if placed.name else ()
        relevant = dict.fromkeys((*(test for step in enforced for test in step.tests), *_own(placed.name, tests)))
        found.append(
            Thread(
                claim=composed[placed.name],
                declaration=placed.claim,
                path=placed.path,
                statement=statement_of(plan.policy, placed.claim),
                paths=value_paths(composed[placed.name], plan.policy, placed.claim),
                declared=tuple(thing for thing in things if placed.name in speaking[thing]),
                enforced=enforced,
                tests=tuple(relevant),
            )
        )
    return tuple(found)


def value_paths(composed: DocumentClaim, policy: Policy, claim: Claim) -> tuple[str, ...]:
    """The part that a claim is about, and every value that its sentences say, each once."""
    said = (path for sentence in composed.sentences for path in paths_of(sentence))
    return tuple(dict.fromkeys((topic_of(policy, claim).path, *said)))


def paths_of(sentence: Sentence) -> tuple[str, ...]:
    """The values that a sentence says, in order."""
    return tuple(
        path for segment in sentence.segments if isinstance(segment, Value) for path in (segment.path, *segment.also)
    )


def claims_of(thing: Declared, plan: Plan) -> tuple[str, ...]:
    """The claims whose sentences speak of a declared thing; none where it leads to no sentence."""
    policy = plan.policy
    governing = set(_GOVERNED_BY.get(thing.kind, ()))
    if _names_nobody(thing, policy):
        governing.add("retention_job")
    return tuple(
        claim.id
        for claim in plan.document.claims
        if governing & set(claim.enforced_by) or _speaks_of(claim, thing, policy)
    )


def _speaks_of(claim: DocumentClaim, thing: Declared, policy: Policy) -> bool:
    subject = _subject(thing, policy)
    if subject is None:
        return False
    paths = {claim.about, *(path for sentence in claim.sentences for path in paths_of(sentence))}
    # `data.account.email` as a claim writes it is about the category too.
    return any(path == subject or path.startswith(f"{subject}.") for path in paths)


def _subject(thing: Declared, policy: Policy) -> str | None:
    """The part of policy.yaml that sentences about the thing name; None where only a mechanism leads there."""
    if thing.kind in _GOVERNED_BY:
        return None
    if thing.kind == "route":
        return f"processors.{policy.proxy.upstream}"
    return ".".join(map(str, thing.path[:3] if thing.kind == "analytics event" else thing.path[:2]))


def _names_nobody(thing: Declared, policy: Policy) -> bool:
    """Whether the thing belongs to evidence without a person, of which a document need not speak."""
    if thing.kind in ("table", "column"):
        category = policy.data.get(str(thing.path[1]))
        return category is not None and category.subject == "none"
    if thing.kind == "job":
        rule = policy.retention.get(str(thing.path[1]))
        # What only has technical columns stands in no sentence of its own, and its job neither.
        return rule is not None and all(
            policy.data[name].subject == "none" or not policy.data[name].fields for name in rule.of
        )
    return False


def _own(name: str, tests: tuple[ProvingTest, ...]) -> tuple[ProvingTest, ...]:
    """The tests about the sentence itself: of this very claim, or of its kind where there is no mechanism in them."""
    own = tuple(test for test in tests if test.claim == name)
    return own or tuple(test for test in tests if not test.by)
