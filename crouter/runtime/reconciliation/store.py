"""Keeps results, and reads the last ones. They are figures of a day and nobody's data."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

import msgspec
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import RECONCILIATION
from crouter.runtime.reconciliation.figure import Figure, State

_COLUMNS: Final = "id, run_id, checked_at, source, day, subject, measure, ours, theirs, explanations, state"
SUBJECT_CHARS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure as it was found at a moment. Of its causes only the sizes are kept; the state is that of then."""

    figure: Figure
    state: State
    checked_at: datetime


class Results:
    """The results of all runs. Methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._table = database.table(RECONCILIATION)
        self.are_kept = any(record.name == RECONCILIATION for record in deployment.records)

    async def keep(self, figures: Sequence[Figure], checked_at: datetime) -> None:
        """Writes the figures of one run; without a declared record for them, nothing is written."""
        if not self.are_kept or not figures:
            return
        run = uuid.uuid4()
        values = [
            (
                uuid.uuid4(),
                run,
                checked_at,
                figure.source,
                datetime.combine(figure.day, time(), UTC),
                figure.subject[:SUBJECT_CHARS_MAX],
                figure.measure[:SUBJECT_CHARS_MAX],
                figure.ours,
                figure.theirs or 0,
                # What explains is a cause and an amount; which way the difference goes, the two sides tell.
                msgspec.json.encode({cause: abs(amount) for cause, amount in figure.causes.items()}).decode(),
                figure.state,
            )
            for figure in figures
        ]
        query = sql.SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)").format(
            self._table, sql.SQL(_COLUMNS)
        )
        async with self._database.transaction() as connection, connection.cursor() as cursor:
            await cursor.executemany(query, values)

    async def last(self, since: date) -> tuple[Checked, ...]:
        """The last finding about each figure of every day since; the newest day first."""
        if not self.are_kept:
            return ()
        query = sql.SQL(
            "SELECT DISTINCT ON (day, source, subject, measure) source, day, subject, measure, ours, theirs, "
            "explanations, state, checked_at FROM {} WHERE day >= %s "
            "ORDER BY day DESC, source, subject, measure, checked_at DESC"
        ).format(self._table)
        rows = await self._database.rows(query, (datetime.combine(since, time(), UTC),))
        return tuple(_checked(*row) for row in rows)

    async def unexplained(self) -> dict[str, int]:
        """How many figures of the last thirty days nothing explains, by source."""
        counts = {"ledger": 0, "stripe": 0, "upstream": 0}
        if not self.are_kept:
            return {}
        query = sql.SQL(
            "SELECT source, count(*) FROM (SELECT DISTINCT ON (day, source, subject, measure) source, state FROM {} "
            "WHERE day >= now() - interval '30 days' ORDER BY day, source, subject, measure, checked_at DESC) AS last "
            "WHERE state = 'unexplained' GROUP BY source"
        ).format(self._table)
        return {**counts, **dict(await self._database.rows(query))}


def _checked(
    source: str,
    day: datetime,
    subject: str,
    measure: str,
    ours: int,
    theirs: int,
    explanations: dict[str, int],
    state: str,
    checked_at: datetime,
) -> Checked:
    other = None if state == "unknown" else theirs
    direction = 1 if theirs >= ours else -1
    causes = {cause: direction * amount for cause, amount in explanations.items()}
    figure = Figure(source, day.date(), subject, measure, ours, other, causes)  # type: ignore[arg-type]
    return Checked(figure, state, checked_at)  # type: ignore[arg-type]
