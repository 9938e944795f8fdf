"""Retention rules of the policy as declarations of purges, folds and deletions.

Columns that the policy does not name are found by what they are: see `time_column` and `kind_column`. The rules of
`crouter/policy/rules/` make sure that there is one; here its absence is our own bug.
"""

from crouter.contract.retention import Erase, Expire, Fold, Hold, Period, RetentionPlan, Schedule
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory
from crouter.policy.parts.promises import DeleteAfter, KeepFor, LegalException
from crouter.policy.types import Duration

EVIDENCE = "retention_run"
"""The data category that holds the evidence of each run, where the policy has one."""
ERASED = "erased_at"
"""The column that marks an owner whose personal data is gone."""


def plan_retention(policy: Policy) -> RetentionPlan:
    """Every rule that some job carries out. What is kept while the account is active has none."""
    return RetentionPlan(
        expire=tuple(
            _expire(policy, name, rule) for name, rule in policy.retention.items() if isinstance(rule, KeepFor)
        ),
        erase=tuple(
            _erase(policy, name, rule) for name, rule in policy.retention.items() if isinstance(rule, DeleteAfter)
        ),
        evidence=EVIDENCE if EVIDENCE in policy.data else None,
    )


def period(duration: Duration) -> Period:
    return Period(text=duration.text, months=duration.months, days=duration.days, seconds=duration.seconds)


def time_column(category: DataCategory) -> str:
    """The timestamp at which a row's age begins: one of its fields, else the first required technical one.

    Of several fields it is the first that every row has: one that may stay empty tells the age of some rows only.
    """
    times = {name: field.required for name, field in category.fields.items() if field.type == "timestamp"}
    for name in sorted(times, key=lambda name: not times[name]):
        return name
    for name, column in category.technical.items():
        if column.type == "timestamp" and not column.optional:
            return name
    raise AssertionError("a category whose rows are held or folded has a timestamp")


def kind_column(category: DataCategory, kinds: tuple[str, ...]) -> str:
    """The column that can hold each of `kinds`."""
    for name, column in category.technical.items():
        if column.values is not None and set(kinds) <= set(column.values):
            return name
    raise AssertionError("kinds that a rule names are values of one column")


def _expire(policy: Policy, name: str, rule: KeepFor) -> Expire:
    return Expire(
        name=name,
        policy_path=f"retention.{name}",
        records=_referring_first(policy, rule.of),
        time_column=rule.from_,
        keep=period(rule.keep),
        schedule=Schedule(every=period(rule.every), lag_max=period(rule.lag_max)),
        folds=tuple(
            _fold(record, category)
            for record, category in policy.data.items()
            if category.fold is not None and category.fold.along_with == name
        ),
        partitions=period(rule.partitions) if rule.partitions else None,
    )


def _fold(record: str, category: DataCategory) -> Fold:
    assert category.fold is not None
    assert category.owner is not None, "a fold sums the entries of one owner"
    return Fold(
        record=record,
        time_column=time_column(category),
        kind_column=kind_column(category, (category.fold.kind, category.fold.into)),
        kind=category.fold.kind,
        into=category.fold.into,
        sum_column=category.fold.sum,
        owner_column=f"{category.owner}_id",
    )


def _erase(policy: Policy, name: str, rule: DeleteAfter) -> Erase:
    owner, _, event_column = rule.event.partition(".")
    return Erase(
        name=name,
        policy_path=f"retention.{name}",
        owner=owner,
        time_column=event_column,
        erased_column=ERASED,
        records=_referring_first(policy, tuple(record for record in rule.of if record != owner)),
        grace=period(rule.grace),
        within=period(rule.within),
        schedule=Schedule(every=period(rule.every), lag_max=period(rule.lag_max)),
        holds=tuple(_hold(policy, exception) for exception in rule.exceptions),
    )


def _hold(policy: Policy, exception: LegalException) -> Hold:
    category = policy.data[exception.of]
    return Hold(
        record=exception.of,
        kind_column=kind_column(category, exception.kinds) if exception.kinds else None,
        kinds=exception.kinds,
        time_column=time_column(category),
        keep=period(exception.keep),
        law=exception.law,
    )


def _referring_first(policy: Policy, records: tuple[str, ...]) -> tuple[str, ...]:
    """`records` so that rows go before the rows they refer to; otherwise in the policy's order."""
    waiting, ordered = list(records), list[str]()
    while waiting:
        free = (record for record in waiting if not _referred_to(policy, record, waiting))
        # Categories that refer to one another in a circle have no such order: they go in the policy's.
        ordered.append(next(free, waiting[0]))
        waiting.remove(ordered[-1])
    return tuple(ordered)


def _referred_to(policy: Policy, record: str, others: list[str]) -> bool:
    return any(
        column.to == record for other in others if other != record for column in policy.data[other].technical.values()
    )
