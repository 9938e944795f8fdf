"""One row for each run of a rule: what was applied, when, how many rows went, how it ended. No personal data.

A row says `running` from before the first removal; the count grows in the transactions that remove. So whatever kills a
run, its row is right, and the next run of the rule marks it failed.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from psycopg import sql

from crouter.contract.data import Record
from crouter.runtime.retention.options import RetentionRefusedError
from crouter.runtime.retention.session import Session, clock, only

COLUMNS: Final = ("rule", "as_of", "started_at", "finished_at", "removed", "outcome", "policy_digest")


class Evidence:
    """Writes the evidence of one run. Without a declared record for it, nothing is written."""

    def __init__(self, record: Record | None, rule: str, policy_digest: str) -> None:
        """Raises RetentionRefusedError if the record is not one for evidence."""
        if record is not None and set(record.field_names) != {record.key, *COLUMNS}:
            raise RetentionRefusedError(
                f"data.{record.name} cannot hold the evidence of a run: beside its key it has exactly the columns "
                f"{', '.join(COLUMNS)}"
            )
        self._record = record
        self._rule = rule
        self._policy_digest = policy_digest
        self.id: UUID = uuid4()

    def begin(self, connection: Session, as_of: datetime) -> None:
        """Mark runs that never ended as failed, and note that this one has begun. Call with the rule's lock held."""
        if self._record is None:
            return
        now = clock(connection)
        with connection.transaction():
            connection.execute(
                sql.SQL(
                    "UPDATE {} SET outcome = 'failed', finished_at = {} WHERE rule = {} AND outcome = 'running'"
                ).format(sql.Identifier(self._record.name), sql.Literal(now), sql.Literal(self._rule))
            )
            row: dict[str, Any] = {
                self._record.key: self.id,
                "rule": self._rule,
                "as_of": as_of,
                "started_at": now,
                "removed": 0,
                "outcome": "running",
                "policy_digest": self._policy_digest,
            }
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(self._record.name),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(map(sql.Literal, row.values())),
                )
            )

    def removed(self, connection: Session, count: int) -> None:
        """Count removed rows, in the transaction that removes them."""
        self._update(connection, sql.SQL("removed = removed + {}").format(sql.Literal(count)))

    def end(self, connection: Session, outcome: Literal["complete", "refused", "failed"]) -> None:
        """Note how the run ended."""
        self._update(connection, sql.SQL("outcome = {}, finished_at = clock_timestamp()").format(sql.Literal(outcome)))

    def spares(self, record: Record) -> sql.Composed:
        """The condition that a row of `record`, called `t`, is not the evidence of this very run."""
        if self._record is None or record.name != self._record.name:
            return sql.Composed([sql.SQL("true")])
        return sql.SQL("{} <> {}").format(sql.Identifier("t", record.key), sql.Literal(self.id))

    def _update(self, connection: Session, change: sql.Composable) -> None:
        if self._record is None:
            return
        connection.execute(
            sql.SQL("UPDATE {} SET {} WHERE {} = {}").format(
                sql.Identifier(self._record.name), change, sql.Identifier(self._record.key), sql.Literal(self.id)
            )
        )


def last_complete(connection: Session, record: Record, rule: str) -> datetime | None:
    """When the last complete run of `rule` ended; None when there is no evidence of any."""
    finished = only(
        connection,
        sql.SQL("SELECT max(finished_at) FROM {} WHERE rule = {} AND outcome = 'complete'").format(
            sql.Identifier(record.name), sql.Literal(rule)
        ),
    )
    assert finished is None or isinstance(finished, datetime)
    return finished
