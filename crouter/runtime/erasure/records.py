"""Deletions as they are shown: to whoever has the address of one, and to the operator. Names nobody."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import sql

from crouter.runtime.database.pool import Database
from crouter.runtime.names import ERASURE, ERASURE_STEP

DeletionState = Literal["waiting", "erased", "done", "withdrawn"]
StepState = Literal["waiting", "done", "nothing_held", "withdrawn"]
_COLUMNS: Final = sql.SQL("id, state, asked_at, due_at, credit, erased_at, kept_until, ended_at")


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """What one processor has to delete, and how far that is."""

    processor: str
    state: StepState
    attempts: int
    error: str | None
    next_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeletionRecord:
    """One deletion and its steps, in the order of the processors' names."""

    id: uuid.UUID
    state: DeletionState
    asked_at: datetime
    due_at: datetime
    credit: str
    erased_at: datetime | None
    kept_until: datetime | None
    ended_at: datetime | None
    steps: tuple[ErasureStep, ...]

    def is_late(self, now: datetime) -> bool:
        return self.state in ("waiting", "erased") and now >= self.due_at


class DeletionRecords:
    """Reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._erasure, self._step = database.table(ERASURE), database.table(ERASURE_STEP)

    async def find(self, deletion: uuid.UUID) -> DeletionRecord | None:
        """Raises DatabaseError."""
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(_COLUMNS, self._erasure)
        found = await self._with_steps(await self._database.rows(query, (deletion,)))
        return found[0] if found else None

    async def all(self, *, open_only: bool) -> Sequence[DeletionRecord]:
        """The first due first. Raises DatabaseError."""
        states = ["waiting", "erased"] if open_only else ["waiting", "erased", "done", "withdrawn"]
        query = sql.SQL("SELECT {} FROM {} WHERE state = ANY(%s) ORDER BY due_at, id").format(_COLUMNS, self._erasure)
        return await self._with_steps(await self._database.rows(query, (states,)))

    async def _with_steps(self, rows: Sequence[tuple[object, ...]]) -> list[DeletionRecord]:
        query = sql.SQL(
            "SELECT erasure_id, processor, state, attempts, error, next_at, ended_at FROM {} "
            "WHERE erasure_id = ANY(%s) ORDER BY processor"
        ).format(self._step)
        steps: dict[object, list[ErasureStep]] = {row[0]: [] for row in rows}
        for deletion, *step in await self._database.rows(query, (list(steps),)):
            steps[deletion].append(ErasureStep(*step))
        return [DeletionRecord(*row, steps=tuple(steps[row[0]])) for row in rows]  # type: ignore[misc, arg-type]
