"""What our own records say of a range of days: counts and costs by day and model, without whose they are.

Also what is not in the database yet, and what may explain that the other side has counted more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.contract.measures import MEASURED_COUNTS
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import Entry, UnreadableEntryError, read_entry
from crouter.runtime.journal.folder import all_paths
from crouter.runtime.journal.quarantine import quarantined_records
from crouter.runtime.journal.segment import SUFFIX, ForeignSegmentError, read_unshipped
from crouter.runtime.names import BATCH, LEDGER, USAGE
from crouter.runtime.purposes import require_purpose
from crouter.runtime.reconciliation.admin_report import BATCH_TIER, Counts, Place

PURPOSE: Final = "billing"
COST: Final = "cost_nanousd"
_ALL: Final = sql.SQL("true")
EDGE: Final = timedelta(minutes=15)
"""How far from midnight something may have happened that the other side counts on the day beside."""


@dataclass(slots=True)
class OurUsage:
    """By day and model: what is recorded, and what is recorded within reach of the day's first midnight.

    `in_journal` and `set_aside` are on this machine and not in the database. `batches` is the part that was read from
    results of batches.
    """

    recorded: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    near_midnight: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    in_journal: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    set_aside: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    batches: dict[Place, Counts] = field(default_factory=lambda: defaultdict(Counts))
    has_unread_batches: bool = False
    """Whether there are batches whose results nobody has read."""
    has_late_batches: bool = False
    """Whether results were read of batches that were made before the first day."""


class OurBooks:
    """Reads sums over all accounts. Methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database, journal: Path | None) -> None:
        """Raises PurposeRefusedError where usage may not be read for billing, which this is."""
        record = deployment.record(USAGE)
        require_purpose(record, ("model", "occurred_at"), PURPOSE)
        require_purpose(deployment.record(LEDGER), ("amount_nanousd",), PURPOSE)
        self._database = database
        self._journal = journal
        self._counts = tuple(name for name in MEASURED_COUNTS if _may_be_read(record, name))
        self._further: sql.Composable = sql.SQL("NULL::jsonb")
        if _may_be_read(record, "further_counts"):
            self._further = sql.SQL("u.further_counts")
        self._has_tier = _may_be_read(record, "service_tier")
        self._has_batches = any(one.name == BATCH for one in deployment.records)

    async def usage(self, first: date, last: date) -> OurUsage:
        """Everything of all days from `first` to `last`."""
        # The journal first: what is shipped meanwhile is then found twice, and not missed. It is told apart by its id.
        pending, refused = self._pending(), self._refused()
        found = OurUsage()
        start, end = _midnight(first), _midnight(last + timedelta(days=1))
        await self._recorded(found.recorded, sql.SQL("date_trunc('day', u.occurred_at)"), start, end)
        # Moved by the reach, what is near a midnight falls into the first minutes of the day after it.
        await self._near(found.near_midnight, start, end)
        shipped = await self._shipped([entry.id for entry in (*pending, *refused)])
        for entries, sums in ((pending, found.in_journal), (refused, found.set_aside)):
            for entry in entries:
                if entry.id not in shipped and start <= entry.occurred_at < end:
                    _add_entry(sums, entry)
        if self._has_tier:
            is_batch = sql.SQL("u.service_tier = {}").format(sql.Literal(BATCH_TIER))
            await self._recorded(found.batches, sql.SQL("date_trunc('day', u.occurred_at)"), start, end, is_batch)
        if self._has_batches:
            found.has_unread_batches = await self._is_there(
                sql.SQL("settled_at IS NULL AND created_at < {}").format(sql.Literal(end))
            )
            found.has_late_batches = await self._is_there(
                sql.SQL("settled_at >= {} AND created_at < {}").format(sql.Literal(start), sql.Literal(start))
            )
        return found

    async def _recorded(
        self,
        sums: dict[Place, Counts],
        day: sql.Composable,
        start: datetime,
        end: datetime,
        where: sql.Composable = _ALL,
    ) -> None:
        counts = sql.SQL(", ").join(
            sql.SQL("coalesce(sum(u.{}), 0)::bigint").format(sql.Identifier(name)) for name in self._counts
        )
        query = sql.SQL(
            "SELECT {day}, u.model, coalesce(-sum(l.amount_nanousd), 0)::bigint, ARRAY[{counts}]::bigint[] "
            "FROM {usage} AS u LEFT JOIN {ledger} AS l ON l.id = u.id AND l.kind = 'charge' "
            "WHERE u.occurred_at >= %s AND u.occurred_at < %s AND {where} GROUP BY 1, 2"
        ).format(
            day=day, counts=counts, usage=self._database.table(USAGE), ledger=self._database.table(LEDGER), where=where
        )
        for moment, model, cost, values in await self._database.rows(query, (start, end)):
            place = (moment.date(), model)
            for name, value in ((COST, cost), *zip(self._counts, values, strict=True)):
                _add(sums, place, name, value)
        await self._further_counts(sums, day, start, end, where)

    async def _further_counts(
        self, sums: dict[Place, Counts], day: sql.Composable, start: datetime, end: datetime, where: sql.Composable
    ) -> None:
        query = sql.SQL(
            "SELECT {day}, u.model, further.key, sum(further.value::bigint)::bigint FROM {usage} AS u, "
            "jsonb_each_text(coalesce({further}, '{{}}'::jsonb)) AS further "
            "WHERE u.occurred_at >= %s AND u.occurred_at < %s AND {where} GROUP BY 1, 2, 3"
        ).format(day=day, usage=self._database.table(USAGE), further=self._further, where=where)
        for moment, model, name, value in await self._database.rows(query, (start, end)):
            _add(sums, (moment.date(), model), name, value)

    async def _near(self, sums: dict[Place, Counts], start: datetime, end: datetime) -> None:
        edge = sql.Literal(EDGE)
        day = sql.SQL("date_trunc('day', u.occurred_at + {})").format(edge)
        is_near = sql.SQL("(u.occurred_at + {edge}) - date_trunc('day', u.occurred_at + {edge}) < 2 * {edge}")
        await self._recorded(sums, day, start - EDGE, end + EDGE, is_near.format(edge=edge))

    async def _shipped(self, ids: Sequence[object]) -> frozenset[object]:
        if not ids:
            return frozenset()
        query = sql.SQL("SELECT id FROM {} WHERE id = ANY(%s)").format(self._database.table(LEDGER))
        return frozenset(row[0] for row in await self._database.rows(query, (list(ids),)))

    async def _is_there(self, batch: sql.Composable) -> bool:
        query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE upstream_id IS NOT NULL AND ended_at IS NULL AND {})")
        return bool((await self._database.rows(query.format(self._database.table(BATCH), batch)))[0][0])

    def _pending(self) -> tuple[Entry, ...]:
        """What processes of this machine, living or dead, have recorded and perhaps not shipped."""
        if self._journal is None or not self._journal.is_dir():
            return ()
        found: list[Entry] = []
        for folder in all_paths(self._journal):
            for segment in sorted(folder.glob(f"*{SUFFIX}")):
                try:
                    found += _entries(read_unshipped(Disk(), segment).bodies)
                except (ForeignSegmentError, FileNotFoundError):
                    # Of another version, or shipped and removed this moment: then it is in the database.
                    continue
        return tuple(found)

    def _refused(self) -> tuple[Entry, ...]:
        if self._journal is None:
            return ()
        return tuple(record.entry for record in quarantined_records(self._journal) if record.entry is not None)


def _may_be_read(record: Record, name: str) -> bool:
    return name in record.field_names and PURPOSE in record.field(name).purposes


def _entries(bodies: Iterable[bytes]) -> Iterable[Entry]:
    for body in bodies:
        try:
            yield read_entry(body)
        except UnreadableEntryError:
            continue


def _add_entry(sums: dict[Place, Counts], entry: Entry) -> None:
    place = (entry.occurred_at.astimezone(UTC).date(), entry.model)
    _add(sums, place, COST, entry.cost_nanousd)
    for name in MEASURED_COUNTS:
        _add(sums, place, name, getattr(entry, name) or 0)
    for name, count in (entry.further_counts or {}).items():
        _add(sums, place, name, count)


def _add(sums: dict[Place, Counts], place: Place, name: str, value: int) -> None:
    sums[place][name] = sums[place].get(name, 0) + value


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
