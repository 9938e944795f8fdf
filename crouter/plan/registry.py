"""The registry: everything that holds data, in one view that is derived from what schema, purges, erasure and copy use.

Nothing is listed here by hand but what `crouter/contract/holders.py` and policy.yaml say. Tests compare the view with
what the library does, both ways: what it exports is what copies hold, what it erases is what deletions remove.
"""

from dataclasses import dataclass

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.contract.holders import HOLDERS, Holder

_SECRET_KINDS = ("sealed", "keyed_hash")


@dataclass(frozen=True, slots=True)
class RegisteredTable:
    """One table. `belongs_to` is the record at the end of its owners, None where no row is anybody's."""

    name: str
    policy_path: str
    personal: tuple[str, ...]
    columns: tuple[str, ...]
    secret: tuple[str, ...]
    belongs_to: str | None
    ends: tuple[str, ...]
    """The retention rules by which rows go."""
    erased_by: str | None
    """The rule that removes a person's rows, or empties the person's own."""
    held_by: tuple[str, ...]
    """Laws that keep some of them for longer."""
    received_by: tuple[str, ...]
    """Processors that receive it, whole or in part."""


@dataclass(frozen=True, slots=True)
class RegisteredStream:
    """A log or a metric: its fields can hold no free text and no id of a person."""

    name: str
    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything."""

    tables: tuple[RegisteredTable, ...]
    streams: tuple[RegisteredStream, ...]
    holders: tuple[Holder, ...]

    def table(self, name: str) -> RegisteredTable:
        """The table of that name. Raises KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def registry_of(deployment: Deployment) -> Registry:
    """The registry of a deployment."""
    return Registry(
        tables=tuple(_table(deployment, record) for record in deployment.records),
        streams=(
            *(RegisteredStream(log.name, "log", tuple(field.name for field in log.fields)) for log in deployment.logs),
            *(RegisteredStream(metric.name, "metric", metric.labels) for metric in deployment.metrics),
        ),
        holders=HOLDERS,
    )


def forgotten(registry: Registry) -> list[str]:
    """What is about a person and has no way to end: in words, empty when nothing is."""
    found = []
    for table in registry.tables:
        if table.belongs_to is not None and table.erased_by is None:
            found.append(f"{table.name} is about a person, and no deletion removes it")
        if table.belongs_to is None and table.personal:
            found.append(f"{table.name} has fields about a person and belongs to nobody")
    return found


def _table(deployment: Deployment, record: Record) -> RegisteredTable:
    retention = deployment.retention
    return RegisteredTable(
        name=record.name,
        policy_path=record.policy_path,
        personal=tuple(field.name for field in record.fields if field.personal),
        columns=record.field_names,
        secret=tuple(field.name for field in record.fields if field.kind in _SECRET_KINDS),
        belongs_to=_belongs_to(deployment, record),
        ends=tuple(rule.name for rule in retention.expire if record.name in rule.records),
        erased_by=next((r.name for r in retention.erase if record.name in (r.owner, *r.records)), None),
        held_by=tuple(h.law for rule in retention.erase for h in rule.holds if h.record == record.name),
        received_by=tuple(
            processor.name
            for processor in deployment.processors
            if any(received.partition(".")[0] == record.name for received in processor.receives)
        ),
    )


def _belongs_to(deployment: Deployment, record: Record) -> str | None:
    """The owner of all, which is the one whose fields an identity fills."""
    while record.owner is not None:
        record = deployment.record(record.owner)
    return record.name if any(field.source == "identity" for field in record.fields) else None
