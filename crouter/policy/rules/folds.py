"""A fold can be done: it sums entries of one kind into an entry of another, for each owner, at a certain age."""

from collections.abc import Iterator

from crouter.policy.hints import listed, meant
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory, Fold
from crouter.policy.problems import Path
from crouter.policy.rules.columns import column_types, has_age, values_of_kinds
from crouter.policy.rules.frame import Finding, Rule

_SUMMED = ("count", "nanousd")


def _folds(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        if category.fold is not None:
            path = ("data", name, "fold")
            yield from _kinds(path, name, category, category.fold)
            yield from _sum(path, name, category, category.fold)
            if category.owner is None:
                hint = "add `owner:` with the category whose row the sum belongs to"
                yield Finding(path, f"data.{name} has no owner to sum entries for", hint, at_key=True)
            if not has_age(category):
                hint = "add a timestamp under fields, or a required one under technical"
                yield Finding(path, f"data.{name} has no timestamp that tells the age of an entry", hint, at_key=True)


def _kinds(path: Path, name: str, category: DataCategory, fold: Fold) -> Iterator[Finding]:
    columns = values_of_kinds(category)
    if not any(fold.kind in values for values in columns.values()):
        known = [value for values in columns.values() for value in values]
        yield Finding((*path, "kind"), f"data.{name} has no kind `{fold.kind}`", meant(fold.kind, known))
    elif fold.into == fold.kind:
        yield Finding((*path, "into"), f"`{fold.kind}` is folded into itself", "name the kind that carries the sum")
    elif not any(fold.kind in values and fold.into in values for values in columns.values()):
        beside = next(values for values in columns.values() if fold.kind in values)
        sentence = f"`{fold.into}` is no kind of the column that holds `{fold.kind}`"
        yield Finding((*path, "into"), sentence, f"known are: {listed(beside)}")


def _sum(path: Path, name: str, category: DataCategory, fold: Fold) -> Iterator[Finding]:
    columns = column_types(category)
    if columns.get(fold.sum) not in _SUMMED:
        summed = [column for column, kind in columns.items() if kind in _SUMMED]
        sentence = f"data.{name} has no column `{fold.sum}` that can be summed"
        yield Finding((*path, "sum"), sentence, meant(fold.sum, summed))


RULES = (Rule("PR-17", ("data",), _folds),)
