"""What the library itself reads and writes is declared, and nothing else in its rows has to be filled.

`crouter/policy/needs.py` is the table to read.
"""

from collections.abc import Iterator

from crouter.policy.hints import listed
from crouter.policy.measures import MEASURES
from crouter.policy.model import Policy
from crouter.policy.needs import KNOWN_COLUMNS, NEEDED_LOGS, NEEDED_TABLES, NeededColumn, NeededTable
from crouter.policy.parts.data import DataCategory, DataField, TechnicalField
from crouter.policy.problems import Path
from crouter.policy.rules.columns import column_path, column_types
from crouter.policy.rules.frame import Finding, Rule


def _missing_tables(policy: Policy) -> Iterator[Finding]:
    for name, table in NEEDED_TABLES.items():
        if name not in policy.data and not table.may_be_missing:
            owner = f", owner: {table.owner}" if table.owner else ""
            line = (
                f"{name}: {{label: {table.label}, when: {table.when}, subject: {table.subject}{owner}, "
                f"source: {_source(policy, name)}, technical: {{id: {{type: uuid, key: true, why: names the row}}}}}}"
            )
            sentence = f"the library works on data.{name}, and there is no such category"
            yield Finding(("data",), sentence, f"add under data: `{line}`", at_key=True)


def _source(policy: Policy, table: str) -> str:
    """A declared source that fits a table of the library."""
    told = any(column.told for column in NEEDED_TABLES[table].columns.values())
    wanted = "identity" if told else "measurement" if NEEDED_TABLES[table].measured else "service"
    kinds: dict[str, str] = {source.kind: name for name, source in policy.sources.items()}
    return kinds.get(wanted, next(iter(policy.sources)))


def _tables(policy: Policy) -> Iterator[tuple[str, DataCategory, NeededTable]]:
    for name, table in NEEDED_TABLES.items():
        if name in policy.data:
            yield name, policy.data[name], table


def _about_whom(policy: Policy) -> Iterator[Finding]:
    for name, category, table in _tables(policy):
        if category.subject != table.subject:
            whom = "names nobody" if table.subject == "none" else f"is about a {table.subject}"
            sentence = f"data.{name} {whom}, and `{category.subject}` stands here"
            yield Finding(("data", name, "subject"), sentence, f"write `subject: {table.subject}`")
        # A misspelled owner is said already.
        if table.owner is not None and category.owner != table.owner and category.owner in (None, *policy.data):
            sentence = f"the library reads data.{name} by its {table.owner}, which is not its owner"
            yield Finding(("data", name, "owner"), sentence, f"write `owner: {table.owner}` for data.{name}")


def _missing_columns(policy: Policy) -> Iterator[Finding]:
    for name, category, table in _tables(policy):
        for column, needed in table.columns.items():
            if column not in column_types(category):
                part = "technical" if needed.standard is None else "fields"
                sentence = f"the library needs the column `{column}` of data.{name}"
                hint = f"add under {part}: `{column}: {_line(needed)}`"
                yield Finding(("data", name, part), sentence, hint, at_key=True)


def _line(needed: NeededColumn) -> str:
    """A column as one writes it in YAML."""
    if needed.standard is not None:
        purposes = listed(needed.purposes)
        standard = ", ".join(f"{key}: {value}" for key, value in needed.standard.items())
        required = "required: true, " if needed.written_always else ""
        changes = "changes: true, " if needed.changes else ""
        return f"{{label: {needed.why}, type: {needed.type}, {required}{changes}purposes: [{purposes}], {standard}}}"
    settings = [
        *(["key: true"] if needed.key else []),
        *(["unique: true"] if needed.unique and not needed.key else []),
        *(["optional: true"] if not needed.written_always else []),
        *(["changes: true"] if needed.changes else []),
        *([f"to: {needed.to}"] if needed.to else []),
        *([f"values: [{listed(needed.values)}]"] if needed.values else []),
        f"why: {needed.why}",
    ]
    return f"{{type: {needed.type}, {', '.join(settings)}}}"


def _unfit_columns(policy: Policy) -> Iterator[Finding]:
    for name, category, table in _tables(policy):
        for column, needed in {**table.columns, **KNOWN_COLUMNS.get(name, {})}.items():
            path = column_path(name, category, column)
            if field := category.fields.get(column):
                yield from _unfit_field(policy, path, category, field, needed)
            elif technical := category.technical.get(column):
                yield from _unfit_technical(policy, path, technical, needed)


def _unfit_field(
    policy: Policy, path: Path, category: DataCategory, field: DataField, needed: NeededColumn
) -> Iterator[Finding]:
    if field.type != needed.type:
        yield _of_another_type(path, needed)
    if field.required and not needed.written_always:
        yield _sometimes_empty((*path, "required"), "delete `required: true`")
    if needed.changes and not field.changes:
        yield Finding(path, f"the library changes {_dotted(path)} while the row lives", "add `changes: true`")
    for purpose in needed.purposes:
        if purpose not in field.purposes:
            sentence = f"the library reads {_dotted(path)} for {purpose}, and may not"
            yield Finding((*path, "purposes"), sentence, f"add {purpose} to `purposes`")
    source = policy.sources.get(field.source or category.source)
    if needed.told and source is not None and source.kind != "identity":
        sentence = f"{_dotted(path)} is what a sign-in tells, and its source is of kind {source.kind}"
        at = (*path, "source") if field.source else (*path[:2], "source")
        yield Finding(at, sentence, "name a source whose kind is identity")


def _unfit_technical(policy: Policy, path: Path, column: TechnicalField, needed: NeededColumn) -> Iterator[Finding]:
    if needed.told:
        sentence = f"{_dotted(path)} is what a sign-in tells about a person"
        yield Finding(path, sentence, "declare it under fields", at_key=True)
    if column.type != needed.type:
        yield _of_another_type(path, needed)
    elif column.to != needed.to and column.to in policy.data:
        yield Finding(
            (*path, "to"), f"the library keeps in {_dotted(path)} whose {needed.to} it is", f"write `to: {needed.to}`"
        )
    lacking = [value for value in needed.values if value not in (column.values or needed.values)]
    if lacking:
        sentence = f"the library writes {listed(lacking)} into {_dotted(path)}"
        yield Finding((*path, "values"), sentence, f"add {listed(lacking)} to `values`")
    if not needed.written_always and not column.optional:
        yield _sometimes_empty(path, "add `optional: true`")
    if needed.changes and not column.changes:
        yield Finding(path, f"the library changes {_dotted(path)} while the row lives", "add `changes: true`")
    if needed.key and not column.key:
        yield Finding(path, f"the library finds rows by {_dotted(path)}", "add `key: true`")
    if column.unique and not needed.unique:
        yield _repeats(path)


def _of_another_type(path: Path, needed: NeededColumn) -> Finding:
    sentence = f"the library keeps a value of type {needed.type} in {_dotted(path)}"
    return Finding((*path, "type"), sentence, f"write `type: {needed.type}`")


def _sometimes_empty(path: Path, hint: str) -> Finding:
    return Finding(path, f"the library writes rows without {_dotted(path[:4])}", hint)


def _repeats(path: Path) -> Finding:
    sentence = f"several rows have the same {_dotted(path)}"
    return Finding((*path, "unique"), sentence, "delete `unique: true`")


def _measured_columns(policy: Policy) -> Iterator[Finding]:
    """Technical columns that a measurement fills, as `filling.py` has it for fields."""
    for name, category, table in _tables(policy):
        for column, technical in category.technical.items() if table.measured else ():
            path = ("data", name, "technical", column)
            if MEASURES.get(column, technical.type) != technical.type:
                sentence = f"{_dotted(path)} is measured, and of type {MEASURES[column]}"
                yield Finding((*path, "type"), sentence, f"write `type: {MEASURES[column]}`")
            elif technical.unique and not technical.key and _is_measured(column, technical.type, technical.to):
                yield _repeats(path)


def _unfilled_columns(policy: Policy) -> Iterator[Finding]:
    for name, category, table in _tables(policy):
        for column in column_types(category):
            path = column_path(name, category, column)
            if column in table.columns or _is_filled(policy, table, category, column):
                continue
            field, technical = category.fields.get(column), category.technical.get(column)
            if technical is not None and _is_unclear(policy, category, technical):
                continue
            sentence = f"nothing fills data.{name}.{column}"
            if not table.may_hold_more:
                hint = f"delete it: data.{name} has a key and {listed(table.columns)}"
                yield Finding(path, f"data.{name} has no room for `{column}`", hint, at_key=True)
            elif field is not None and field.required:
                yield Finding((*path, "required"), f"{sentence}, and every row needs it", "delete `required: true`")
            elif technical is not None and not technical.optional:
                yield Finding(path, f"{sentence}, and every row needs it", "add `optional: true`", at_key=True)


def _is_filled(policy: Policy, table: NeededTable, category: DataCategory, column: str) -> bool:
    """Whether the library fills a column that its statements do not name."""
    technical = category.technical.get(column)
    if technical is not None:
        return technical.key or (table.measured and _is_measured(column, technical.type, technical.to))
    if table.measured:
        return column in MEASURES
    source = policy.sources.get(category.fields[column].source or category.source)
    told = any(needed.told for needed in table.columns.values())
    # Of an unknown source nothing can be said, and of its field nothing but that.
    return source is None or (told and source.kind == "identity")


def _is_unclear(policy: Policy, category: DataCategory, column: TechnicalField) -> bool:
    """Whether a mistake that is reported elsewhere hides what the column is: no key, or a misspelled category."""
    keyless = not any(technical.key for technical in category.technical.values())
    return (column.type == "uuid" and keyless) or (column.to is not None and column.to not in policy.data)


def _is_measured(column: str, kind: str, to: str | None) -> bool:
    return column in MEASURES or (kind == "reference" and to in ("account", "api_key"))


def _dotted(path: Path) -> str:
    """A column as sentences name it."""
    return f"data.{path[1]}.{path[3]}"


def _logs(policy: Policy) -> Iterator[Finding]:
    for name in NEEDED_LOGS:
        if name not in policy.logging:
            line = f"{name}: {{time: timestamp, level: word, event: word}}"
            yield Finding(
                ("logging",), f"the library writes the log `{name}`", f"add under logging: `{line}`", at_key=True
            )


RULES = (
    Rule("PR-60", ("data", "sources"), _missing_tables),
    Rule("PR-60", ("data",), _missing_columns),
    Rule("PR-60", ("logging",), _logs),
    Rule("PR-61", ("data",), _about_whom),
    Rule("PR-61", ("data", "sources"), _unfit_columns),
    Rule("PR-61", ("data",), _measured_columns),
    Rule("PR-62", ("data", "sources"), _unfilled_columns),
)
