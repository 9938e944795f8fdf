"""Every name that one part uses is declared in another: purposes, sources, processors, data, retention rules."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from crouter.policy.hints import listed, meant
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive
from crouter.policy.problems import Path
from crouter.policy.rules.columns import unknown_data
from crouter.policy.rules.frame import Finding, Rule

NOT_DATA = ("content", "analytics")
"""What a processor may receive beside data categories: what requests and answers say, and analytics events."""


def _unknown(path: Path, name: str, known: Mapping[str, Any], what: str) -> Iterator[Finding]:
    if name not in known:
        yield Finding(path, f"there is no {what} `{name}`", meant(name, known))


def _purposes(path: Path, names: Iterable[str], policy: Policy) -> Iterator[Finding]:
    for index, name in enumerate(names):
        yield from _unknown((*path, index), name, policy.purposes, "purpose")


def _purposes_of_data(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        for column, field in category.fields.items():
            yield from _purposes(("data", name, "fields", column, "purposes"), field.purposes, policy)


def _purposes_of_processors(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        yield from _purposes(("processors", name, "purposes"), processor.purposes, policy)


def _purposes_of_cookies(policy: Policy) -> Iterator[Finding]:
    for name, cookie in policy.cookies.items():
        yield from _unknown(("cookies", name, "purpose"), cookie.purpose, policy.purposes, "purpose")


def _purposes_of_storage(policy: Policy) -> Iterator[Finding]:
    for name, key in policy.storage.items():
        yield from _unknown(("storage", name, "purpose"), key.purpose, policy.purposes, "purpose")


def _sources(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        yield from _unknown(("data", name, "source"), category.source, policy.sources, "source")
        for column, field in category.fields.items():
            if field.source is not None:
                path = ("data", name, "fields", column, "source")
                yield from _unknown(path, field.source, policy.sources, "source")


def _categories_of_data(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        if category.owner is not None:
            yield from _unknown(("data", name, "owner"), category.owner, policy.data, "data category")
        for column, technical in category.technical.items():
            if technical.to is not None:
                path = ("data", name, "technical", column, "to")
                yield from _unknown(path, technical.to, policy.data, "data category")


def _field_path(path: Path, name: str, policy: Policy, but: Container[str] = ()) -> Iterator[Finding]:
    if name not in but and (unknown := unknown_data(policy, name)):
        yield Finding(path, *unknown)


def _data_of_processors(policy: Policy) -> Iterator[Finding]:
    for name, processor in policy.processors.items():
        for index, received in enumerate(processor.receives):
            path = ("processors", name, "receives", index)
            yield from _field_path(path, received, policy, but=NOT_DATA)
            yield from _about_nobody(path, received, policy)


def _about_nobody(path: Path, name: str, policy: Policy) -> Iterator[Finding]:
    """A technical column where data about a person is meant."""
    category, _, column = name.partition(".")
    known = policy.data.get(category)
    if known is not None and column in known.technical:
        sentence = f"`{name}` is a technical column: there are no words for it that a person would recognise"
        yield Finding(
            path, sentence, f"name the category, or one of its fields: {listed(known.fields) or 'it has none'}"
        )


def _data_of_retention(policy: Policy) -> Iterator[Finding]:
    for name, rule in policy.retention.items():
        for index, category in enumerate(rule.of):
            yield from _unknown(("retention", name, "of", index), category, policy.data, "data category")
        if isinstance(rule, DeleteAfter):
            yield from _event(name, rule, policy)
            for index, exception in enumerate(rule.exceptions):
                path = ("retention", name, "exceptions", index, "of")
                yield from _unknown(path, exception.of, policy.data, "data category")


def _event(name: str, rule: DeleteAfter, policy: Policy) -> Iterator[Finding]:
    path = ("retention", name, "event")
    if "." not in rule.event:
        hint = "name the category and its column, for example account.deletion_requested_at"
        yield Finding(path, f"`{rule.event}` names no column, and only a column can start the clock", hint)
    else:
        yield from _field_path(path, rule.event, policy)


def _data_of_rights(policy: Policy) -> Iterator[Finding]:
    for name, right in policy.rights.items():
        for index, field in enumerate(right.fields):
            yield from _field_path(("rights", name, "fields", index), field, policy)
            yield from _about_nobody(("rights", name, "fields", index), field, policy)


def _processors_of_never(policy: Policy) -> Iterator[Finding]:
    for name, never in policy.never.items():
        if never.passes_through_to is not None:
            path = ("never", name, "passes_through_to")
            yield from _unknown(path, never.passes_through_to, policy.processors, "processor")


def _processor_of_proxy(policy: Policy) -> Iterator[Finding]:
    yield from _unknown(("proxy", "upstream"), policy.proxy.upstream, policy.processors, "processor")


def _processor_of_analytics(policy: Policy) -> Iterator[Finding]:
    if policy.analytics is not None:
        path = ("analytics", "processor")
        yield from _unknown(path, policy.analytics.processor, policy.processors, "processor")


def _processor_of_edge(policy: Policy) -> Iterator[Finding]:
    if policy.security.edge is not None:
        path = ("security", "edge", "processor")
        yield from _unknown(path, policy.security.edge.processor, policy.processors, "processor")


def _rules_of_rights(policy: Policy) -> Iterator[Finding]:
    deletions = {name: rule for name, rule in policy.retention.items() if isinstance(rule, DeleteAfter)}
    for name, right in policy.rights.items():
        if right.by is None:
            continue
        path = ("rights", name, "by")
        yield from _unknown(path, right.by, policy.retention, "retention rule")
        if isinstance(policy.retention.get(right.by), KeepFor | KeepWhileActive):
            sentence = f"`{right.by}` keeps data, and a right is carried out by a rule that deletes after an event"
            yield Finding(path, sentence, meant(right.by, deletions))


def _rules_of_folds(policy: Policy) -> Iterator[Finding]:
    periods = {name: rule for name, rule in policy.retention.items() if isinstance(rule, KeepFor)}
    for name, category in policy.data.items():
        if category.fold is None:
            continue
        path = ("data", name, "fold", "along_with")
        along_with = category.fold.along_with
        yield from _unknown(path, along_with, policy.retention, "retention rule")
        if along_with in policy.retention and along_with not in periods:
            yield Finding(path, f"`{along_with}` keeps nothing for a period at whose end to fold", meant("", periods))


RULES = (
    Rule("PR-01", ("data", "purposes"), _purposes_of_data),
    Rule("PR-01", ("processors", "purposes"), _purposes_of_processors),
    Rule("PR-01", ("cookies", "purposes"), _purposes_of_cookies),
    Rule("PR-01", ("storage", "purposes"), _purposes_of_storage),
    Rule("PR-02", ("data", "sources"), _sources),
    Rule("PR-03", ("data",), _categories_of_data),
    Rule("PR-03", ("data", "processors"), _data_of_processors),
    Rule("PR-03", ("data", "retention"), _data_of_retention),
    Rule("PR-03", ("data", "rights"), _data_of_rights),
    Rule("PR-04", ("never", "processors"), _processors_of_never),
    Rule("PR-04", ("proxy", "processors"), _processor_of_proxy),
    Rule("PR-04", ("analytics", "processors"), _processor_of_analytics),
    Rule("PR-04", ("security", "processors"), _processor_of_edge),
    Rule("PR-05", ("retention", "rights"), _rules_of_rights),
    Rule("PR-05", ("data", "retention"), _rules_of_folds),
)
