"""What is missing behind the sentences of a policy: claims without what they need, declarations without a claim.

Problems as values, at their places in policy.yaml. The day is given; nothing here reads a clock.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from crouter.contract.deployment import Deployment
from crouter.plan.plan import Plan
from crouter.policy.code import Severity
from crouter.policy.hints import listed
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.problems import Path, Place, Positions, Problem, in_order, shown
from crouter.policy.rules.claims import placed_claims
from crouter.policy.types import Duration
from crouter.proof.collect import MarkedTest
from crouter.proof.declared import declared_by, is_declared
from crouter.proof.registry import Registry
from crouter.proof.threads import Thread, claims_of, threads


def proof_problems(plan: Plan, positions: Positions, registry: Registry, today: date) -> tuple[Problem, ...]:
    """Everything that is missing, in the order of the file."""
    found = [
        *(problem for thread in threads(plan, registry) for problem in _behind(thread, positions, today, registry)),
        *_unspoken(plan, positions),
        *_unsaid_mechanisms(plan, positions),
        *_stale(plan, positions, today),
    ]
    return in_order(found)


def undeclared(deployment: Deployment, plan: Plan, generated: str = "generated") -> tuple[Problem, ...]:
    """What a deployment declares and the policy of the plan does not."""
    return tuple(
        Problem(
            "PK-04",
            "error",
            Place(f"{generated}/{thing.file}"),
            f"the {thing.kind} {shown(thing.name, 'of a name that cannot be shown')} is in no place of the policy",
            "take it out, or declare it in policy.yaml and run `crouter generate`",
        )
        for thing in declared_by(deployment, plan.policy)
        if not is_declared(plan.policy, thing.path)
    )


def unknown_claims(plan: Plan, marked: Iterable[MarkedTest]) -> tuple[Problem, ...]:
    """Tests that say they prove a sentence which the document does not have."""
    known = {claim.id for claim in plan.document.claims}
    return tuple(
        Problem(
            "PK-08",
            "error",
            Place(test.file, test.line, 1),
            f"{test.name} is marked with {shown(test.claim, 'a claim')}, and no sentence has that id",
            "mark it with a claim of the document (`crouter explain` lists them), or take the mark away",
        )
        for test in marked
        if test.claim not in known
    )


def relied_on_until(as_of: date, stale_after: Duration) -> date:
    """The last day on which a vendor's statement counts, by calendar months and days."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1 + stale_after.months, 12)
    day = min(as_of.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=stale_after.days, seconds=stale_after.seconds)


def is_stale(as_of: date, stale_after: Duration, today: date) -> bool:
    """Whether a vendor's statement is older than it is relied on."""
    return today > relied_on_until(as_of, stale_after)


def _behind(thread: Thread, positions: Positions, today: date, registry: Registry) -> Iterator[Problem]:
    name, claim = thread.claim.id, thread.declaration
    if thread.statement != "fact" and not claim.enforced_by and claim.manual is None:
        kinds = sorted({by for test in registry.tests if test.says == claim.says for by in test.by})
        mechanisms = f"`enforced_by: [{kinds[0]}]`, or " if kinds else ""
        review = (today + timedelta(days=180)).isoformat()
        yield _problem(
            "PK-01",
            positions,
            thread.path,
            f"{name} is a {thread.statement}, and nothing stands behind it",
            f"add {mechanisms}`manual: {{owner: operator, review: {review}}}` with the day of "
            "the next review where a person keeps it",
            at_key=True,
        )
    if thread.statement != "fact":
        for number, step in enumerate(thread.enforced):
            if not step.tests:
                kinds = sorted({test.says for test in registry.tests if step.mechanism in test.by})
                hint = f"it is proven for sentences that say: {listed(kinds)}" if kinds else "nothing proves it yet"
                sentence = f"no test proves that {step.mechanism} keeps what {name} says"
                yield _problem("PK-02", positions, (*thread.path, "enforced_by", number), sentence, hint)
    if claim.manual is not None and claim.manual.review < today:
        sentence = f"the review of {name} was due on {claim.manual.review.isoformat()}"
        hint = f"{claim.manual.owner} looks whether it is kept, then writes the day of the next review"
        yield _problem("PK-06", positions, (*thread.path, "manual", "review"), sentence, hint)


def _unspoken(plan: Plan, positions: Positions) -> Iterator[Problem]:
    silent: dict[Path, list[str]] = {}
    for thing in declared_by(plan.deployment, plan.policy):
        if is_declared(plan.policy, thing.path) and not claims_of(thing, plan):
            # One problem for a table, a log or a list of headers, not one for each of its entries.
            silent.setdefault(thing.path[:2], []).append(f"{thing.kind} {thing.name}")
    for path, names in silent.items():
        many = f" (and {len(names) - 1} more there)" if len(names) > 1 else ""
        sentence = f"the {names[0]} leads to no sentence of the document{many}"
        hint = "say it: add a claim about it, or name the mechanism that governs it in a claim's enforced_by"
        yield _problem("PK-03", positions, path, sentence, hint, at_key=True)


def _unsaid_mechanisms(plan: Plan, positions: Positions) -> Iterator[Problem]:
    used = {name for placed in placed_claims(plan.policy) for name in placed.claim.enforced_by}
    absent = {"edge_worker"} if plan.policy.security.edge is None else set()
    absent |= {"consent_configuration"} if plan.policy.analytics is None else set()
    missing = [name for name in MECHANISMS if name not in used | absent]
    if missing:
        sentence = f"the library enforces what no sentence says: {listed(missing)}"
        hint = "name each in the `enforced_by` of the claim that it keeps, or say what it does in a claim"
        yield _problem("PK-05", positions, ("sections",), sentence, hint, at_key=True, severity="warning")


def _stale(plan: Plan, positions: Positions, today: date) -> Iterator[Problem]:
    for name, processor in plan.policy.processors.items():
        keeps = processor.keeps
        if is_stale(keeps.as_of, keeps.stale_after, today):
            sentence = f"what {name} says of itself was last looked up on {keeps.as_of.isoformat()}"
            hint = f"read {keeps.source}, correct `keeps` if it has changed, and write today's day"
            path = ("processors", name, "keeps", "as_of")
            yield _problem("PK-07", positions, path, sentence, hint, severity="warning")


def _problem(
    code: str,
    positions: Positions,
    path: Path,
    sentence: str,
    hint: str,
    *,
    at_key: bool = False,
    severity: Severity = "error",
) -> Problem:
    place = positions.of_key(path) if at_key else positions.of_value(path)
    return Problem(code, severity, place, sentence, hint)
