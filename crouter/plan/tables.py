"""Data categories as tables: columns, constraints and the indexes that retention and look-up need.

Who may see and do what with them is `access.py`. Every column comes from policy.yaml and says so in its comment.
"""

from crouter.contract.data import Field
from crouter.contract.measures import COUNT_MAX, COUNT_NAME_CHARS_MAX, COUNT_NAMES_MAX
from crouter.contract.retention import RetentionPlan
from crouter.plan.access import grants, row_rules
from crouter.plan.books import book_routines, book_triggers
from crouter.plan.partition_routines import PARTITION_ROUTINES
from crouter.plan.records import record_of
from crouter.plan.schema import SCHEMA, Column, Constraint, Index, Schema, Table
from crouter.plan.sql import identifier, joined_name, literal, relation_name
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory

TEXT_BYTES_MAX = 1000
"""The longest text that a column takes: nothing of the size of a prompt fits."""

_SQL_TYPES = {
    "uuid": "uuid",
    "text": "text",
    "email": "text",
    "one_of": "text",
    "count": "bigint",
    "counts": "jsonb",
    "words": "jsonb",
    "nanousd": "bigint",
    "timestamp": "timestamptz",
    "date": "date",
    "keyed_hash": "bytea",
    "sealed": "bytea",
}

# PostgreSQL writes a jsonb in one way only, `{"a": 1, "b": 2}`, so that a pattern can judge each name and value of it.
# The whole is held to the size of the largest map; each name and count is bounded where it is measured, because bounded
# repetitions here would cost every row twice what its insertion does.
_COUNTS_BYTES_MAX = COUNT_NAMES_MAX * len(f'"{"n" * COUNT_NAME_CHARS_MAX}": {COUNT_MAX}, ')
_COUNTS = (
    """{column}::text ~ '^[{]("[a-z0-9_.]+": [0-9]+(, )?)*[}]$'"""
    f" AND octet_length({{column}}::text) <= {_COUNTS_BYTES_MAX}"
)

# A word has no space, so that no sentence fits into one; an address has an @, and none fits either.
_WORDS = (
    """{column}::text ~ '^[{]("[a-z0-9_]+": "[A-Za-z0-9_.:/+-]+"(, )?)*[}]$'"""
    f" AND octet_length({{column}}::text) <= {TEXT_BYTES_MAX}"
)

# A keyed hash is an HMAC-SHA-256. A sealed value has a 12-byte nonce, a 16-byte tag and at least one byte inside.
_BOUNDS = {
    "text": f"octet_length({{column}}) <= {TEXT_BYTES_MAX}",
    "email": f"octet_length({{column}}) <= {TEXT_BYTES_MAX}",
    "count": "{column} >= 0",
    "counts": _COUNTS,
    "words": _WORDS,
    "keyed_hash": "octet_length({column}) = 32",
    "sealed": "octet_length({column}) BETWEEN 29 AND 4096",
}


def plan_schema(policy: Policy, retention: RetentionPlan) -> Schema:
    """The schema that holds exactly the data categories of the policy."""
    tables = tuple(_table(policy, retention, name) for name in policy.data)
    partitioned = any(table.partitioned_by for table in tables)
    routines = (*(PARTITION_ROUTINES if partitioned else ()), *book_routines(policy))
    return Schema(name=SCHEMA, tables=tables, routines=routines)


def _table(policy: Policy, retention: RetentionPlan, name: str) -> Table:
    category = policy.data[name]
    record = record_of(policy, name)
    partitioned_by = _partitioned_by(retention, name)
    return Table(
        name=name,
        comment=f"{category.label} ({record.policy_path})",
        columns=tuple(
            Column(field.name, _sql_type(policy, field), f"{field.label} ({field.policy_path})")
            for field in record.fields
        ),
        constraints=tuple(
            constraint
            for field in record.fields
            for constraint in _constraints(category, record.name, field, _ends(retention, name), partitioned_by)
        ),
        indexes=_indexes(category, name, retention),
        rules=row_rules(policy, record),
        grants=grants(policy, record, retention),
        partitioned_by=partitioned_by,
        triggers=book_triggers(policy, name),
    )


def _partitioned_by(retention: RetentionPlan, table: str) -> str | None:
    found = (rule.time_column for rule in retention.expire if rule.partitions and table in rule.records)
    return next(found, None)


def _sql_type(policy: Policy, field: Field) -> str:
    """The type of the column; that of the key it refers to for a reference."""
    if field.references is None:
        return _SQL_TYPES[field.kind]
    target = record_of(policy, field.references)
    return _SQL_TYPES[target.field(target.key).kind]


def _ends(retention: RetentionPlan, table: str) -> tuple[str, ...]:
    """The columns of an owner that are set once its personal data has to go, or is gone."""
    return tuple(
        column for rule in retention.erase if rule.owner == table for column in (rule.time_column, rule.erased_column)
    )


def _constraints(
    category: DataCategory, table: str, field: Field, ends: tuple[str, ...], partitioned_by: str | None
) -> list[Constraint]:
    column = identifier(field.name)
    technical = category.technical.get(field.name)
    found: list[Constraint] = []
    if technical is not None and technical.key:
        # PostgreSQL can only keep a key of a partitioned table unique together with what tells the partitions apart.
        columns = (field.name, *((partitioned_by,) if partitioned_by else ()))
        definition = f"PRIMARY KEY ({', '.join(map(identifier, columns))})"
        found.append(Constraint(relation_name(table, "key"), "key", columns, definition))
    elif field.required:
        found.append(_required(table, field, ends))
    if technical is not None and technical.unique and not technical.key:
        name = relation_name(table, field.name, "unique")
        found.append(Constraint(name, "unique", (field.name,), f"UNIQUE ({column})"))
    if field.kind in _BOUNDS:
        # Replaced, not formatted: a pattern has braces of its own.
        definition = f"CHECK ({_BOUNDS[field.kind].replace('{column}', column)})"
        found.append(Constraint(joined_name(table, field.name, "bounds"), "check", (field.name,), definition))
    if field.kind == "one_of":
        found.append(_one_of(table, field))
    if field.references is not None:
        found.append(_reference(table, field))
    return found


def _required(table: str, field: Field, ends: tuple[str, ...]) -> Constraint:
    # An owner whose deletion is under way loses its personal data; nothing about the row may stand against that.
    excused = ends if field.personal else ()
    definition = " OR ".join(f"{identifier(name)} IS NOT NULL" for name in (field.name, *excused))
    return Constraint(
        joined_name(table, field.name, "required"), "required", (field.name, *excused), f"CHECK ({definition})"
    )


def _one_of(table: str, field: Field) -> Constraint:
    # Sorted: the order in which the policy lists them is no reason to migrate.
    values = tuple(sorted(field.values))
    definition = f"CHECK ({identifier(field.name)} IN ({', '.join(literal(value) for value in values)}))"
    return Constraint(joined_name(table, field.name, "values"), "check", (field.name,), definition, values=values)


def _reference(table: str, field: Field) -> Constraint:
    """A foreign key. A row goes before the row it must refer to; one that need not refer to it forgets it."""
    assert field.references is not None
    action = "NO ACTION" if field.required else "SET NULL"
    definition = (
        f"FOREIGN KEY ({identifier(field.name)}) REFERENCES {identifier(SCHEMA)}.{identifier(field.references)} "
        f"ON DELETE {action}"
    )
    name = joined_name(table, field.name, "reference")
    return Constraint(name, "reference", (field.name,), definition, refers_to=field.references)


def _indexes(category: DataCategory, table: str, retention: RetentionPlan) -> tuple[Index, ...]:
    """Every reference, every time column by which retention looks for rows, and an owner's rows in their order."""
    wanted: list[tuple[str, ...]] = []
    for rule in retention.expire:
        if table in rule.records:
            wanted.append((rule.time_column,))
        wanted += [(fold.kind_column, fold.time_column) for fold in rule.folds if fold.record == table]
    for erase in retention.erase:
        if erase.owner == table:
            wanted.append((erase.time_column,))
    times = [name for name, field in category.fields.items() if field.type == "timestamp"]
    for name, column in category.technical.items():
        if column.type == "reference":
            owned = category.owner is not None and name == f"{category.owner}_id"
            wanted.append((name, *times[:1]) if owned else (name,))
    return tuple(Index(relation_name(table, *columns, "index"), columns) for columns in dict.fromkeys(wanted))
