"""Every category ends: it has one period, its jobs can be in time, and a customer's data goes with the account."""

from collections.abc import Iterator

from crouter.policy.books import BOOK
from crouter.policy.hints import listed, meant
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive, LegalException
from crouter.policy.problems import Path
from crouter.policy.rules.columns import column_types, has_age, owners_of, timestamps, values_of_kinds
from crouter.policy.rules.frame import Finding, Rule

ERASED = "erased_at"
"""The column of the category whose event starts a deletion that says when the personal data was gone."""


def _periods(policy: Policy) -> Iterator[tuple[str, KeepFor]]:
    return ((name, rule) for name, rule in policy.retention.items() if isinstance(rule, KeepFor))


def _deletions(policy: Policy) -> Iterator[tuple[str, DeleteAfter]]:
    return ((name, rule) for name, rule in policy.retention.items() if isinstance(rule, DeleteAfter))


def _misspelled(policy: Policy) -> bool:
    """Whether a rule names a category that is not declared; then it is too early to say which one has no rule."""
    return any(name not in policy.data for rule in policy.retention.values() for name in rule.of)


def _every_category_ends(policy: Policy) -> Iterator[Finding]:
    if _misspelled(policy):
        return
    kept = {name for rule in policy.retention.values() if not isinstance(rule, DeleteAfter) for name in rule.of}
    for name in policy.data:
        if name not in kept:
            hint = f"add it to `of` of a rule, or add under retention: `{name}: {{of: [{name}], keep: while_active}}`"
            yield Finding(("data", name), f"no retention rule says how long data.{name} is kept", hint, at_key=True)


def _one_period(policy: Policy) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for rule_name, rule in policy.retention.items():
        if isinstance(rule, KeepWhileActive | KeepFor):
            for index, name in enumerate(rule.of):
                if first.setdefault(name, rule_name) != rule_name:
                    sentence = f"data.{name} has the retention rule `{first[name]}` already"
                    yield Finding(("retention", rule_name, "of", index), sentence, "keep it in one of the two")


def _customers_are_deleted(policy: Policy) -> Iterator[Finding]:
    if _misspelled(policy):
        return
    deletions = dict(_deletions(policy))
    deleted = {name for rule in deletions.values() for name in rule.of}
    for name, category in policy.data.items():
        if category.subject == "customer" and name not in deleted:
            sentence = f"data.{name} is about a customer, and no rule deletes it with the account"
            rules = f"`of` of {listed(deletions)}" if deletions else "a rule with `event` and `within`"
            yield Finding(("data", name), sentence, f"add {name} to {rules}", at_key=True)


def _in_time(policy: Policy) -> Iterator[Finding]:
    for name, rule in _deletions(policy):
        longest = rule.grace.seconds_max + rule.every.seconds_max + rule.lag_max.seconds_max
        if longest > rule.within.seconds_min:
            sentence = (
                f"grace {rule.grace.text}, every {rule.every.text} and lag_max {rule.lag_max.text} "
                f"can take longer than within {rule.within.text}"
            )
            yield Finding(("retention", name, "within"), sentence, "shorten one of the three, or lengthen `within`")


def _worth_its_job(policy: Policy) -> Iterator[Finding]:
    for name, rule in _periods(policy):
        parts = {"every": rule.every, "lag_max": rule.lag_max, "partitions": rule.partitions}
        counted = {key: part for key, part in parts.items() if part is not None}
        if sum(part.seconds_max for part in counted.values()) >= rule.keep.seconds_min:
            first, *last = (f"{key} {part.text}" for key, part in reversed(counted.items()))
            sentence = f"{', '.join(reversed(last))} and {first} together are not less than {rule.keep.text}"
            narrower = "make partitions narrower, " if rule.partitions else ""
            hint = f"run the job more often, {narrower}or keep the data longer"
            yield Finding(("retention", name, "keep"), sentence, hint)


def _periods_begin(policy: Policy) -> Iterator[Finding]:
    for name, rule in _periods(policy):
        for category in rule.of:
            if category in policy.data:
                yield from _timestamp(policy, ("retention", name, "from"), category, rule.from_)


def _deletions_begin(policy: Policy) -> Iterator[Finding]:
    for name, rule in _deletions(policy):
        category, _, column = rule.event.partition(".")
        if category not in policy.data or column not in column_types(policy.data[category]):
            continue
        path = ("retention", name, "event")
        yield from _timestamp(policy, path, category, column)
        erased = policy.data[category].technical.get(ERASED)
        if erased is None or erased.type != "timestamp" or not erased.optional:
            sentence = f"data.{category} cannot say that its personal data is gone"
            hint = f"add under technical: `{ERASED}: {{type: timestamp, optional: true, why: marks what is gone}}`"
            yield Finding(path, sentence, hint)


def _timestamp(policy: Policy, path: Path, category: str, column: str) -> Iterator[Finding]:
    known = timestamps(policy.data[category])
    if column not in known:
        yield Finding(path, f"data.{category} has no timestamp `{column}`", meant(column, known))


def _within_reach(policy: Policy) -> Iterator[Finding]:
    for name, rule in _deletions(policy):
        root = rule.event.partition(".")[0]
        if root not in policy.data:
            continue
        if root not in rule.of:
            sentence = f"{rule.event} starts the clock, and data.{root} itself is not deleted"
            yield Finding(("retention", name, "of"), sentence, f"add {root} to `of`")
        for index, category in enumerate(rule.of):
            chain = (category, *owners_of(policy, category))
            # What is not declared is a problem of its own.
            if root not in chain and policy.data.keys() >= set(chain):
                sentence = f"data.{category} does not belong to {root}, whose event starts the clock"
                hint = f"add `owner: {root}` to data.{category}, or take it out of this rule"
                yield Finding(("retention", name, "of", index), sentence, hint)


def _exceptions(policy: Policy) -> Iterator[Finding]:
    for name, rule in _deletions(policy):
        for index, exception in enumerate(rule.exceptions):
            if exception.of in policy.data:
                path = ("retention", name, "exceptions", index)
                if exception.of not in rule.of:
                    sentence = f"data.{exception.of} is not deleted by this rule, so there is nothing to except"
                    yield Finding((*path, "of"), sentence, meant(exception.of, rule.of))
                yield from _exception(policy, path, exception)


def _exception(policy: Policy, path: Path, exception: LegalException) -> Iterator[Finding]:
    category = policy.data[exception.of]
    columns = values_of_kinds(category).values()
    known = [value for values in columns for value in values]
    unknown = [index for index, kind in enumerate(exception.kinds) if kind not in known]
    for index in unknown:
        kind = exception.kinds[index]
        yield Finding((*path, "kinds", index), f"data.{exception.of} has no kind `{kind}`", meant(kind, known))
    if not unknown and exception.kinds and not any(set(exception.kinds) <= set(values) for values in columns):
        sentence = f"these kinds of data.{exception.of} are values of different columns"
        yield Finding((*path, "kinds"), sentence, "write one exception for each column", at_key=True)
    if not has_age(category):
        sentence = f"data.{exception.of} has no timestamp from which the exception's period could begin"
        yield Finding((*path, "keep"), sentence, "add a timestamp to the category")


def _books_stay(policy: Policy) -> Iterator[Finding]:
    # A deletion does not reach the book: it has no owner (PR-27, PR-61).
    for name, rule in _periods(policy):
        for index, category in enumerate(rule.of):
            if category == BOOK and BOOK in policy.data:
                sentence = f"data.{BOOK} ends after {rule.keep.text}, and the database keeps every entry of it"
                hint = f"give it a rule of its own: `{BOOK}: {{of: [{BOOK}], keep: while_active}}`; it names nobody"
                yield Finding(("retention", name, "of", index), sentence, hint)


RULES = (
    Rule("PR-20", ("data", "retention"), _every_category_ends),
    Rule("PR-21", ("data", "retention"), _customers_are_deleted),
    Rule("PR-22", ("retention",), _in_time),
    Rule("PR-23", ("retention",), _worth_its_job),
    Rule("PR-24", ("data", "retention"), _periods_begin),
    Rule("PR-24", ("data", "retention"), _deletions_begin),
    Rule("PR-25", ("data", "retention"), _exceptions),
    Rule("PR-26", ("retention",), _one_period),
    Rule("PR-27", ("data", "retention"), _within_reach),
    Rule("PR-63", ("data", "retention"), _books_stay),
)
