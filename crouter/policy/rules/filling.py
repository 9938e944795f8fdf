"""Something fills each field: a request is measured by certain things, and a sign-in tells certain things."""

from collections.abc import Iterator, Mapping

from crouter.policy.hints import listed
from crouter.policy.measures import IDENTITY_FIELDS, MEASURES
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataField, FieldType
from crouter.policy.problems import Path
from crouter.policy.rules.frame import Finding, Rule


def _told_fields(policy: Policy) -> Iterator[tuple[Path, str, str, DataField, Mapping[str, FieldType]]]:
    """Path, category, name and declaration of each field with a source of a certain vocabulary, and that vocabulary."""
    told = {"measurement": MEASURES, "identity": IDENTITY_FIELDS}
    for name, category in policy.data.items():
        for column, field in category.fields.items():
            source = policy.sources.get(field.source or category.source)
            if source is not None and source.kind in told:
                yield ("data", name, "fields", column), name, column, field, told[source.kind]


def _filled(policy: Policy) -> Iterator[Finding]:
    for path, name, column, _, known in _told_fields(policy):
        if column not in known:
            source = policy.sources[policy.data[name].fields[column].source or policy.data[name].source]
            sentence = f"nothing fills data.{name}.{column}"
            yield Finding(path, sentence, f"{source.label} can tell: {listed(known)}", at_key=True)


def _fitting(policy: Policy) -> Iterator[Finding]:
    for path, name, column, field, known in _told_fields(policy):
        if known.get(column, field.type) != field.type:
            sentence = f"data.{name}.{column} is of type {known[column]}, and {field.type} stands here"
            yield Finding((*path, "type"), sentence, f"write `type: {known[column]}`")


RULES = (
    Rule("PR-18", ("data", "sources"), _filled),
    Rule("PR-19", ("data", "sources"), _fitting),
)
