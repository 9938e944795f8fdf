"""Ends ledger entries of an age without moving a balance: per owner they become one entry of another kind.

There is one such entry for each owner. It takes in the one before it, so that it stays one however often this runs. Its
time is the bound of the run's cut-off: what it stands for is not later than that, and what is left is. It is never
folded again as an entry of its own, since it is of another kind. What goes and what comes are compared to the unit
before the transaction may commit.
"""

from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.retention import Fold
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.options import RetentionRefusedError
from crouter.runtime.retention.rows import Doomed
from crouter.runtime.retention.session import Session

# Each batch writes the sum of every owner in it anew, so ten times as many entries at once cost little more.
BATCHES_TOGETHER: Final = 10

_FOLD = """\
WITH batch AS MATERIALIZED ({batch}),
     aged AS (
        DELETE FROM {table} USING batch WHERE {mine} = {chosen} RETURNING {owner} AS owner, {amount} AS amount
     ),
     carried AS (
        DELETE FROM {table} WHERE {kind} = {into} AND {owner} IN (SELECT {batch_owner} FROM batch)
        RETURNING {owner} AS owner, {amount} AS amount
     ),
     entries AS (
        INSERT INTO {target} ({columns})
        SELECT gen_random_uuid(), owner, {into}, sum(amount), {moment}
        FROM (SELECT * FROM aged UNION ALL SELECT * FROM carried) AS gone GROUP BY owner
        RETURNING {target_amount} AS amount
     )
SELECT (SELECT count(*) FROM aged),
       (SELECT coalesce(sum(amount), 0) FROM aged) + (SELECT coalesce(sum(amount), 0) FROM carried),
       (SELECT coalesce(sum(amount), 0) FROM entries)"""


class BalanceMovedError(Exception):
    """What a fold would take out of a ledger is not what it would put in. The transaction must not commit."""


@dataclass(frozen=True, slots=True)
class Folding:
    """One declared fold at one cut-off."""

    fold: Fold
    record: Record
    cutoff: Cutoff

    @classmethod
    def of(cls, fold: Fold, record: Record, cutoff: Cutoff) -> "Folding":
        """Raises RetentionRefusedError where an entry needs more than a fold can say of it."""
        known = (record.key, fold.owner_column, fold.kind_column, fold.sum_column, fold.time_column)
        unknown = [field.name for field in record.fields if field.required and field.name not in known]
        if unknown:
            raise RetentionRefusedError(
                f"entries of {record.name} cannot be summed up: a sum has no {', '.join(unknown)}; "
                "make the column optional in policy.yaml"
            )
        return cls(fold, record, cutoff)

    @property
    def doomed(self) -> Doomed:
        condition = sql.SQL("{} = {} AND {}").format(
            sql.Identifier("t", self.fold.kind_column),
            sql.Literal(self.fold.kind),
            self.cutoff.reached(sql.Identifier("t", self.fold.time_column)),
        )
        return Doomed(self.record.name, (self.record.key,), condition, self.fold.time_column)

    def batch(self, connection: Session, rows: int) -> int:
        """Fold the next entries in the caller's transaction, `rows` tenfold; how many. Raises BalanceMovedError."""
        row = connection.execute(self._statement(rows * BATCHES_TOGETHER)).fetchone()
        assert row is not None
        folded, taken_out, put_in = row
        if taken_out != put_in:
            raise BalanceMovedError
        return int(folded)

    def _statement(self, rows: int) -> sql.Composed:
        fold, doomed = self.fold, self.doomed
        columns = (self.record.key, fold.owner_column, fold.kind_column, fold.sum_column, fold.time_column)
        return sql.SQL(_FOLD).format(
            batch=doomed.batch((self.record.key, fold.owner_column), rows),
            table=doomed.table,
            target=sql.Identifier(self.record.name),
            mine=sql.Identifier("t", self.record.key),
            chosen=sql.Identifier("batch", self.record.key),
            owner=sql.Identifier("t", fold.owner_column),
            batch_owner=sql.Identifier("batch", fold.owner_column),
            kind=sql.Identifier("t", fold.kind_column),
            amount=sql.Identifier("t", fold.sum_column),
            target_amount=sql.Identifier(self.record.name, fold.sum_column),
            columns=sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            into=sql.Literal(fold.into),
            moment=sql.Literal(self.cutoff.bound),
        )
