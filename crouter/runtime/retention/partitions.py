"""Makes partitions ahead and drops those that are all past, each in a transaction that waits for nobody long.

A partition is dropped, not detached first: a job that was killed in between would leave it behind, and PostgreSQL
cannot detach without a lock beside a partition for the rest. The drop locks the table for the moment it takes. It gives
up after less than a second of waiting, so that requests never queue behind it, and before PostgreSQL would look for a
deadlock and end a transaction of the service instead. What cannot be dropped goes row by row.

A partition holds a range of UTC days, months or hours. The last microsecond before its end has the greatest age of the
range: month ends can shift hours of one day against those of another, never beyond the end of the later day.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import psycopg
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Expire, Period
from crouter.runtime.retention.cutoff import Cutoff, interval
from crouter.runtime.retention.session import Session, only

AHEAD_SECONDS: Final = 3 * 86_400
"""For so long, and for a whole range at least, rows to come find a partition made. Later ones go to the rest."""
LOCK_MILLISECONDS: Final = 400
PAUSES_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_FEW_PAUSES: Final = PAUSES_SECONDS[:2]
_IN_USE: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

_LIST: Final = """\
SELECT part, starts, coalesce(ends, partition_start({width}, starts) + {width}), attached
FROM partition_list({record}) ORDER BY starts, part"""
_DUE: Final = """\
SELECT part, starts, until, attached FROM ({partitions}) AS known (part, starts, until, attached)
WHERE until - interval '1 microsecond' + {keep} <= {as_of} ORDER BY starts, part"""
_SIZES: Final = """\
SELECT coalesce(sum(size) FILTER (WHERE part IN (SELECT part FROM ({due}) AS due)), 0)::bigint,
       coalesce(sum(size), 0)::bigint
FROM (SELECT c.relname AS part, greatest(c.reltuples, 0) AS size
      FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = {table}::regclass) AS sizes"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows from `starts` until before `ends`. One that is not attached was taken out of its table by hand."""

    name: str
    starts: datetime
    ends: datetime
    attached: bool


@dataclass(frozen=True, slots=True)
class Partitions:
    """The partitions of one record, all as wide as declared but those from a time with another width."""

    schema: str
    record: str
    column: str
    width: Period

    def known(self, connection: Session) -> list[Partition]:
        """All but the one for the rest, the oldest first."""
        return [Partition(*row) for row in connection.execute(self._known).fetchall()]

    def due(self, connection: Session, cutoff: Cutoff) -> list[Partition]:
        """Those of which every row has reached the cut-off."""
        return [Partition(*row) for row in connection.execute(self._due(cutoff)).fetchall()]

    def sizes(self, connection: Session, cutoff: Cutoff) -> tuple[int, int]:
        """How many rows the due ones hold and how many the table, as PostgreSQL estimates them."""
        query = sql.SQL(_SIZES).format(due=self._due(cutoff), table=sql.Literal(f'"{self.schema}"."{self.record}"'))
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    def make_ahead(self, connection: Session) -> None:
        """Make what is missing for the time to come, by the database's clock. What cannot be had now is left."""
        for moment in self._moments(connection):
            make = sql.SQL("SELECT partition_make({}, {}, {})").format(
                sql.Literal(self.record), interval(self.width), sql.Literal(moment)
            )
            if patiently(connection, partial(only, connection, make), _FEW_PAUSES) is None:
                return

    def next(self, connection: Session) -> datetime:
        """The moment at which the range after the present one begins, by the database's clock."""
        return self._moments(connection)[1]

    def drop(self, connection: Session, partition: Partition, count: Callable[[int], None]) -> int | None:
        """Drop one; gives the number of its rows, None when somebody has been using the table all the time."""
        query = sql.SQL("SELECT partition_drop({}, {})").format(sql.Literal(self.record), sql.Literal(partition.name))

        def drop() -> int:
            rows = int(only(connection, query))
            count(rows)
            return rows

        return patiently(connection, drop, PAUSES_SECONDS)

    def _moments(self, connection: Session) -> list[datetime]:
        width = (self.width.months * 28 + self.width.days) * 86_400 + self.width.seconds
        query = sql.SQL(
            "SELECT partition_start({width}, clock_timestamp()) + n * {width} FROM generate_series(0, {last}) AS n"
        ).format(width=interval(self.width), last=sql.Literal(math.ceil(AHEAD_SECONDS / width)))
        return [row[0] for row in connection.execute(query).fetchall()]

    @property
    def _known(self) -> sql.Composed:
        return sql.SQL(_LIST).format(width=interval(self.width), record=sql.Literal(self.record))

    def _due(self, cutoff: Cutoff) -> sql.Composed:
        return sql.SQL(_DUE).format(partitions=self._known, keep=interval(cutoff.keep), as_of=sql.Literal(cutoff.as_of))


def partitions_of(deployment: Deployment, rule: Expire) -> tuple[Partitions, ...]:
    """The partitions of each record of a rule; nothing for a rule without."""
    if rule.partitions is None:
        return ()
    schema, width = deployment.database_schema, rule.partitions
    return tuple(Partitions(schema, record, rule.time_column, width) for record in rule.records)


def partitioned_by(deployment: Deployment) -> dict[str, str]:
    """The column by which each partitioned record is partitioned."""
    rules = deployment.retention.expire
    return {record: rule.time_column for rule in rules if rule.partitions for record in rule.records}


def patiently(connection: Session, action: Callable[[], _T], pauses: tuple[float, ...]) -> _T | None:
    """Do it in a transaction that waits for locks only shortly, a few times; None if they were never free."""
    for pause in pauses:
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("SET LOCAL lock_timeout TO {}").format(sql.Literal(f"{LOCK_MILLISECONDS}ms"))
                )
                return action()
        except _IN_USE:
            time.sleep(pause)
    return None
