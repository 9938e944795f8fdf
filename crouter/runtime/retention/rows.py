"""Counts and removes rows that meet a condition, in batches, each a short transaction of its own."""

from dataclasses import dataclass

from psycopg import sql

from crouter.runtime.retention.session import Session, only

COUNTED_MAX = 1_000_000
"""Up to here rows are counted by looking at no more than needed; beyond it, the whole table is."""


@dataclass(frozen=True, slots=True)
class Share:
    """`rows` of a table with `total`, which for a large table may be less than it has: never too few to decide."""

    rows: int
    total: int

    @property
    def percent(self) -> float:
        return 100.0 * self.rows / self.total if self.total else 0.0

    def implausible(self, percent_max: int, always_allowed: int) -> bool:
        return self.rows > always_allowed and self.rows * 100 > self.total * percent_max


@dataclass(frozen=True, slots=True)
class Doomed:
    """Rows of `record` that have to go: `condition` speaks of the table as `t`. The oldest by `order` go first.

    `keys` name a row: of a partitioned table with its time, so that only one partition is looked into. `scope` is what
    such a row fulfils anyway, and what tells PostgreSQL the partitions or the index where they are.
    """

    record: str
    keys: tuple[str, ...]
    condition: sql.Composable
    order: str
    scope: sql.Composable | None = None

    @property
    def table(self) -> sql.Composed:
        return sql.SQL("{} AS t").format(sql.Identifier(self.record))

    def batch(self, columns: tuple[str, ...], rows: int) -> sql.Composed:
        """Selects and locks the next rows. Rows that somebody else has locked are left for later."""
        return sql.SQL(
            "SELECT {columns} FROM {table} WHERE {condition} ORDER BY {order} LIMIT {rows} FOR UPDATE OF t SKIP LOCKED"
        ).format(
            columns=sql.SQL(", ").join(sql.Identifier("t", column) for column in columns),
            table=self.table,
            condition=self.condition,
            order=sql.Identifier("t", self.order),
            rows=sql.Literal(rows),
        )

    def is_in(self, batch: str) -> sql.Composed:
        """The condition that a row of the table is the one of `batch`."""
        return sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("t", key), sql.Identifier(batch, key)) for key in self.keys
        )

    def count(self, connection: Session) -> int:
        """How many rows there are, up to COUNTED_MAX."""
        return self._count(connection, self.condition, COUNTED_MAX)

    def any_left(self, connection: Session) -> bool:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(self.table, self.condition)
        return bool(only(connection, query))

    def share(self, connection: Session, percent_max: int) -> Share:
        """How large a part of the table has to go. Looks at as few rows as tell it from `percent_max`."""
        rows = self._count(connection, self.condition, COUNTED_MAX)
        if rows == COUNTED_MAX:
            row = connection.execute(
                sql.SQL("SELECT count(*) FILTER (WHERE {}), count(*) FROM {}").format(self.condition, self.table)
            ).fetchone()
            assert row is not None
            return Share(*row)
        enough = rows * 100 // max(percent_max, 1) + 1
        return Share(rows, self._count(connection, sql.SQL("true"), max(enough, COUNTED_MAX)) if rows else 0)

    def _count(self, connection: Session, condition: sql.Composable, limit: int) -> int:
        query = sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT {}) AS counted")
        return int(only(connection, query.format(self.table, condition, sql.Literal(limit))))


def remove_batch(doomed: Doomed, connection: Session, rows: int) -> int:
    """Delete the next rows in the caller's transaction; how many. 0 when none is left that can be had now."""
    # Materialized, so that the rows are chosen once, whatever plan joins them.
    query = sql.SQL(
        "WITH batch AS MATERIALIZED ({batch}), gone AS"
        " (DELETE FROM {table} USING batch WHERE {chosen} AND {scope} RETURNING true)"
        " SELECT count(*) FROM gone"
    ).format(
        batch=doomed.batch(doomed.keys, rows),
        table=doomed.table,
        chosen=doomed.is_in("batch"),
        scope=doomed.scope or sql.SQL("true"),
    )
    return int(only(connection, query))
