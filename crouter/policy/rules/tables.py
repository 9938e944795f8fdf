"""Each data category can be a table: its columns, its key, its owner, and names that PostgreSQL can hold."""

from collections.abc import Iterator

from crouter.policy.hints import listed
from crouter.policy.model import Policy
from crouter.policy.parts.data import TechnicalField
from crouter.policy.problems import Path
from crouter.policy.rules.columns import column_path, column_types, owners_of
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.rules.references import NOT_DATA

NAME_BYTES_MAX = 63
"""PostgreSQL silently cuts a longer name, and then two of them may be the same."""

CONSTRAINT_SUFFIX_MAX = len("_required")
"""Constraints and indexes are named table, underscore, column and a suffix of at most this length."""

SYSTEM_COLUMNS = ("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin")
"""Columns that every table of PostgreSQL has of its own."""


def _keys(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        keys = [column for column, technical in category.technical.items() if technical.key]
        if not keys:
            hint = "add under technical: `id: {type: uuid, key: true, why: names the row}`"
            yield Finding(("data", name, "technical"), f"data.{name} has no column with `key: true`", hint, at_key=True)
        for column in keys[1:]:
            sentence = f"data.{name} has a second key; `{keys[0]}` is one already"
            yield Finding(("data", name, "technical", column, "key"), sentence, "keep `key: true` on one column")
        for column in keys:
            path = ("data", name, "technical", column)
            if category.technical[column].optional:
                yield Finding((*path, "optional"), f"the key of data.{name} is optional", "delete `optional: true`")
            if category.technical[column].type != "uuid":
                sentence = f"the key of data.{name} is no uuid, and references are"
                yield Finding((*path, "type"), sentence, "write `type: uuid`")


def _settings(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        for column, technical in category.technical.items():
            yield from _settings_of(("data", name, "technical", column), technical)


def _settings_of(path: Path, column: TechnicalField) -> Iterator[Finding]:
    if column.changes and (column.key or column.type == "reference"):
        sentence = "what a row is and whose it is never changes"
        yield Finding((*path, "changes"), sentence, "delete `changes: true`")
    if column.type == "reference" and column.to is None:
        yield Finding((*path, "type"), "a reference does not say to what", "add `to:` with a data category")
    if column.type != "reference" and column.to is not None:
        yield Finding(
            (*path, "to"), f"`to` means nothing for the type {column.type}", "use `type: reference`, or delete it"
        )
    if column.type == "one_of" and not column.values:
        hint = "add `values:` with a list of names, for example [running, complete]"
        yield Finding((*path, "type"), "`one_of` does not say of what", hint)
    if column.type != "one_of" and column.values is not None:
        yield Finding(
            (*path, "values"), f"`values` means nothing for the type {column.type}", "use `type: one_of`, or delete it"
        )


def _owner_columns(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        owner = category.owner
        if owner is None or owner not in policy.data:
            continue
        column = category.technical.get(f"{owner}_id")
        if column is None or column.type != "reference" or column.to != owner or column.optional:
            sentence = f"data.{name} belongs to {owner} and has no required reference `{owner}_id` to it"
            hint = (
                f"add under technical: `{owner}_id: {{type: reference, to: {owner}, why: joins the row to its owner}}`"
            )
            yield Finding(("data", name, "owner"), sentence, hint)


def _owner_circles(policy: Policy) -> Iterator[Finding]:
    for name in policy.data:
        chain = [name, *owners_of(policy, name)]
        last = policy.data.get(chain[-1])
        # Each circle is reported once, at the member that comes first in the file.
        if last is not None and last.owner == name and name == min(chain, key=list(policy.data).index):
            sentence = f"{' → '.join([*chain, name])}: each of these belongs to the next, and none comes first"
            yield Finding(("data", name, "owner"), sentence, "delete `owner` of the category that the others belong to")


def _double_columns(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        for column in category.technical:
            if column in category.fields:
                path = ("data", name, "technical", column)
                sentence = f"data.{name} has the column `{column}` under fields already"
                yield Finding(path, sentence, "keep one of the two", at_key=True)


def _reserved_names(policy: Policy) -> Iterator[Finding]:
    for name, category in policy.data.items():
        if name in NOT_DATA:
            sentence = f"`{name}` cannot be a data category: in `receives` the word means something else"
            yield Finding(("data", name), sentence, "choose another name", at_key=True)
        for column in column_types(category):
            if column in SYSTEM_COLUMNS:
                sentence = f"`{column}` is a column that every table of PostgreSQL has of its own"
                hint = f"choose another name; reserved are {listed(SYSTEM_COLUMNS)}"
                yield Finding(column_path(name, category, column), sentence, hint, at_key=True)


def _long_names(policy: Policy) -> Iterator[Finding]:
    length_max = NAME_BYTES_MAX - CONSTRAINT_SUFFIX_MAX - len("_")
    for name, category in policy.data.items():
        for column in column_types(category):
            if len(name) + len(column) > length_max:
                sentence = (
                    f"`{name}` and `{column}` have {len(name) + len(column)} characters together, "
                    f"and constraints of PostgreSQL have room for {length_max}"
                )
                yield Finding(column_path(name, category, column), sentence, "shorten one of the two", at_key=True)


RULES = (
    Rule("PR-10", ("data",), _keys),
    Rule("PR-11", ("data",), _settings),
    Rule("PR-12", ("data",), _owner_columns),
    Rule("PR-13", ("data",), _double_columns),
    Rule("PR-14", ("data",), _reserved_names),
    Rule("PR-15", ("data",), _long_names),
    Rule("PR-16", ("data",), _owner_circles),
)
