"""What is never kept is no column: not itself, not a part of it, not what gives it away."""

from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.problems import Path
from crouter.policy.rules.contradictions.scope import KEEPING, Relation, Scope, Thing, scopes
from crouter.policy.rules.frame import Check, Finding, Rule

_HOW = {
    "same": "keeps what never.{name} forbids to {verb}",
    "part": "keeps part of what never.{name} forbids to {verb}",
    "derivable": "gives away what never.{name} forbids to {verb}",
}


def columns(policy: Policy) -> Iterator[tuple[Path, str, Thing]]:
    """Path, name as `category.column`, and meaning of every column.

    Of a technical column only the name counts: `why` tells a purpose, in words like "names the account".
    """
    for name, category in policy.data.items():
        for column, field in category.fields.items():
            texts = (category.label, field.label, column) if len(category.fields) == 1 else (field.label, column)
            yield ("data", name, "fields", column), f"{name}.{column}", Thing(texts, field.data_category, field.dpv)
        for column, technical in category.technical.items():
            if technical.type != "reference" and not technical.key:
                yield ("data", name, "technical", column), f"{name}.{column}", Thing((column,))


def kept_against(policy: Policy) -> Iterator[tuple[Path, str, Scope, str, Relation]]:
    """Each column that a promise forbids: its path and name, the promise, its verb, and how the two relate."""
    declared = list(columns(policy))
    for scope, verb in scopes(policy, KEEPING):
        for path, name, thing in declared:
            if relation := scope.relation(thing):
                yield path, name, scope, verb, relation


def _labels(policy: Policy) -> Iterator[Finding]:
    """Categories that are called what is never kept, whatever their columns are called."""
    found = {(scope.name, path[1]) for path, _, scope, _, _ in kept_against(policy)}
    for scope, verb in scopes(policy, KEEPING):
        for name, category in policy.data.items():
            relation = scope.relation(Thing((category.label, name)))
            if relation in ("same", "part") and (scope.name, name) not in found:
                sentence = f"data.{name} {_HOW[relation].format(name=scope.name, verb=verb)}"
                yield Finding(("data", name, "label"), sentence, _hint(scope, f"data.{name}", verb))


def _hint(scope: Scope, name: str, verb: str) -> str:
    return f"delete {name}, or take `{verb}` out of never.{scope.name}"


def _finder(wanted: Relation) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        for path, name, scope, verb, relation in kept_against(policy):
            if relation == wanted:
                sentence = f"data.{name} {_HOW[relation].format(name=scope.name, verb=verb)}"
                yield Finding(path, sentence, _hint(scope, f"data.{name}", verb), at_key=True)

    return check


RULES = (
    Rule("PX-01", ("data", "never"), _finder("same")),
    Rule("PX-01", ("data", "never"), _labels),
    Rule("PX-02", ("data", "never"), _finder("part")),
    Rule("PX-03", ("data", "never"), _finder("derivable")),
)
"""Collecting against never collecting."""
