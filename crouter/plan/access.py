"""Who may see and change which rows: row-level security rules and grants. What is not granted here is refused."""

from crouter.contract.data import Field, Record
from crouter.contract.retention import RetentionPlan
from crouter.plan.records import record_of
from crouter.plan.roles import AUTHENTICATED, RETENTION, SERVICE
from crouter.plan.schema import SCHEMA, Grant, RowRule
from crouter.plan.sql import identifier, joined_name
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory

_SEALED_KINDS = ("sealed", "keyed_hash")


def row_rules(policy: Policy, record: Record) -> tuple[RowRule, ...]:
    """Our own roles touch every row; a signed-in person sees those that are its own."""
    rules = [
        RowRule(joined_name(record.name, "service"), "ALL", SERVICE, "true"),
        RowRule(joined_name(record.name, "retention"), "ALL", RETENTION, "true"),
    ]
    own = _own_rows(policy, record)
    if own is not None:
        rules.append(RowRule(joined_name(record.name, "own"), "SELECT", AUTHENTICATED, own, (_whose(record),)))
    return tuple(rules)


def grants(policy: Policy, record: Record, retention: RetentionPlan) -> tuple[Grant, ...]:
    """The service never removes, and changes only rows with a life of their own; a person never sees what is sealed."""
    changed = _changeable(policy.data[record.name], record)
    given = [
        Grant(SERVICE, ("SELECT", "INSERT", *((_limited("UPDATE", changed),) if changed else ()))),
        Grant(RETENTION, ("SELECT", *(("INSERT",) if _is_written(record, retention) else ()), "UPDATE", "DELETE")),
    ]
    if _own_rows(policy, record) is not None:
        shown = tuple(field.name for field in record.fields if field.kind not in _SEALED_KINDS)
        given.append(Grant(AUTHENTICATED, (_limited("SELECT", shown),)))
    return tuple(given)


def _own_rows(policy: Policy, record: Record) -> str | None:
    """The condition under which a row is the signed-in person's own; None for rows that are nobody's.

    A row belongs to the person itself, or to a row that does.
    """
    owner = record_of(policy, record.owner) if record.owner is not None else None
    if _is_person(record) or (owner is not None and _is_person(owner)):
        # As a sub-select the function is called once for a query, not once for a row.
        return f"{identifier(_whose(record))} = (SELECT auth.uid())"
    inner = _own_rows(policy, owner) if owner is not None else None
    if owner is None or inner is None:
        return None
    table = f"{identifier(SCHEMA)}.{identifier(owner.name)}"
    return f"{identifier(_whose(record))} IN (SELECT {identifier(owner.key)} FROM {table} WHERE {inner})"  # noqa: S608 - quoted


def _whose(record: Record) -> str:
    """The column that says whose row it is."""
    return record.key if record.owner is None else f"{record.owner}_id"


def _is_person(record: Record) -> bool:
    """Whether a row stands for somebody who signs in; its key is then the id of that identity."""
    return record.owner is None and any(field.source == "identity" for field in record.fields)


def _changeable(category: DataCategory, record: Record) -> tuple[str, ...]:
    """The columns that the service may change.

    Entries are written once, but for the columns that the policy says change. A person's account and its keys change:
    they name an identity, or hold something sealed that is renewed. What a row is and whose it is never changes.
    """
    declared = (
        *(name for name, column in category.technical.items() if column.changes),
        *(name for name, field in category.fields.items() if field.changes),
    )
    lives = any(field.source == "identity" or field.kind == "sealed" for field in record.fields)
    if category.subject == "none" or not lives:
        return declared
    return tuple(field.name for field in record.fields if field.name in declared or not _is_fixed(record, field))


def _is_fixed(record: Record, field: Field) -> bool:
    set_at_birth = field.kind == "timestamp" and field.required and not field.personal
    return field.name == record.key or field.kind == "reference" or set_at_birth


def _is_written(record: Record, retention: RetentionPlan) -> bool:
    """Whether retention adds rows of its own: the evidence of a run, and the sum of folded entries."""
    folded = {fold.record for rule in retention.expire for fold in rule.folds}
    return record.name == retention.evidence or record.name in folded


def _limited(privilege: str, columns: tuple[str, ...]) -> str:
    """The privilege for some columns, in an order of its own: the policy's order is no reason to migrate."""
    return f"{privilege} ({', '.join(identifier(column) for column in sorted(columns))})"
