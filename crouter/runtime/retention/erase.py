"""One kind of rule: an owner asked for deletion, so its rows go, its personal data, and in the end its own row.

Rows that the law requires to keep stay until their hold ends, and with them the owner's row, empty. Every transaction
looks again whether the owner is still to be deleted: a deletion can be taken back until its grace is over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from crouter.contract.data import Field, Record
from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase, Hold
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.partitions import partitioned_by
from crouter.runtime.retention.parts import Count
from crouter.runtime.retention.references import no_row_refers, owner_column, referring, unreferenced
from crouter.runtime.retention.rows import Doomed, Share, remove_batch
from crouter.runtime.retention.session import Session


@dataclass(frozen=True, slots=True)
class Erasure:
    """One rule at one moment. `holds` goes with the cut-off of each: what has reached it is held no longer."""

    rule: Erase
    owner: Record
    owned: tuple[Record, ...]
    records: tuple[Record, ...]
    due: Cutoff
    holds: tuple[tuple[Hold, Cutoff], ...]
    partitioned_by: Mapping[str, str]

    @classmethod
    def of(cls, connection: Session, deployment: Deployment, rule: Erase, due: Cutoff) -> "Erasure":
        """Owners whose `rule.time_column` has reached `due`; holds are looked at for the same moment."""
        return cls(
            rule=rule,
            owner=deployment.record(rule.owner),
            owned=tuple(deployment.record(name) for name in rule.records),
            records=deployment.records,
            due=due,
            holds=tuple((hold, Cutoff.compute(connection, hold.keep, due.as_of)) for hold in rule.holds),
            partitioned_by=partitioned_by(deployment),
        )

    @property
    def doomed(self) -> Doomed:
        """Owners whose personal data is still there. These are counted: how much one of them owns says nothing."""
        condition = sql.SQL("{} AND {} IS NULL AND {}").format(
            self._due, sql.Identifier("t", self.rule.erased_column), self._not_held(self.owner, "t")
        )
        return Doomed(self.owner.name, (self.owner.key,), condition, self.rule.time_column)

    def batches(self, connection: Session, rows: int, count: Count) -> Iterator[int]:
        """Owner after owner, and of each record after record: what refers goes before what it refers to."""
        for key in self._owners(connection):
            yield from self.of_owner(connection, key, rows, count)

    def expected(self, connection: Session) -> int:
        """The rows that due owners own and nothing keeps, and the owners of which nothing will be left."""
        rows = [self._of_due_owners(record) for record in self.owned]
        return sum(doomed.count(connection) for doomed in (*rows, self._leaving))

    def share(self, connection: Session, percent_max: int) -> Share:
        """The share of owners."""
        return self.doomed.share(connection, percent_max)

    def removable(self, record: Record, key: sql.Composable) -> Doomed:
        """Rows of an owned record that nothing keeps; `key` is the owner's, a value or a column."""
        owned = sql.SQL("{} = {}").format(sql.Identifier("t", owner_column(record, self.owner.name)), key)
        condition = sql.SQL("{} AND {} AND {}").format(
            owned, self._not_held(record, "t"), unreferenced(self.records, record, "t")
        )
        return self._doomed(record, condition, owned)

    def _doomed(self, record: Record, condition: sql.Composed, scope: sql.Composable | None = None) -> Doomed:
        # With its time, a row of a partitioned table is looked for in one partition instead of in all.
        time = self.partitioned_by.get(record.name)
        keys = (record.key, time) if time else (record.key,)
        return Doomed(record.name, keys, condition, time or record.key, scope)

    def _of_due_owners(self, record: Record) -> Doomed:
        owned_by = sql.SQL("EXISTS (SELECT FROM {} AS o WHERE {} = {} AND {})").format(
            sql.Identifier(self.owner.name),
            sql.Identifier("o", self.owner.key),
            sql.Identifier("t", owner_column(record, self.owner.name)),
            self.due.reached(sql.Identifier("o", self.rule.time_column)),
        )
        condition = sql.SQL("{} AND {}").format(owned_by, self._not_held(record, "t"))
        return self._doomed(record, condition)

    @property
    def _leaving(self) -> Doomed:
        key = sql.Identifier("t", self.owner.key)
        kept = [
            sql.SQL("NOT EXISTS (SELECT FROM {} AS k WHERE {} = {} AND NOT ({}))").format(
                sql.Identifier(record.name),
                sql.Identifier("k", owner_column(record, self.owner.name)),
                key,
                self._not_held(record, "k"),
            )
            for record in self.owned
        ]
        others = no_row_refers([item for item in self._keeping if item[0] not in self.owned], key)
        condition = sql.SQL(" AND ").join([self._due, self._not_held(self.owner, "t"), others, *kept])
        return Doomed(self.owner.name, (self.owner.key,), condition, self.rule.time_column)

    def _owners(self, connection: Session) -> list[Any]:
        """Keys of owners with something left to do; the others are those that a hold keeps, and may be many."""
        todo = [sql.SQL("({} IS NULL AND {})").format(self._erased("o"), self._not_held(self.owner, "o"))]
        todo += [
            sql.SQL("EXISTS (SELECT FROM {} WHERE {})").format(rows.table, rows.condition)
            for rows in (self.removable(record, sql.Identifier("o", self.owner.key)) for record in self.owned)
        ]
        todo.append(self._free("o"))
        query = sql.SQL("SELECT {key} FROM {owner} AS o WHERE {due} AND ({todo}) ORDER BY {time}, {key}").format(
            key=sql.Identifier("o", self.owner.key),
            owner=sql.Identifier(self.owner.name),
            due=self.due.reached(sql.Identifier("o", self.rule.time_column)),
            todo=sql.SQL(" OR ").join(todo),
            time=sql.Identifier("o", self.rule.time_column),
        )
        return [row[0] for row in connection.execute(query).fetchall()]

    def of_owner(self, connection: Session, key: Any, rows: int, count: Count) -> Iterator[int]:
        """The same for one owner, if it is due."""
        for record in self.owned:
            doomed, removed = self.removable(record, sql.Literal(key)), rows
            while removed == rows:
                with connection.transaction():
                    if not self._still_due(connection, key):
                        return
                    removed = remove_batch(doomed, connection, rows)
                    count(removed)
                yield removed
        with connection.transaction():
            if not self._still_due(connection, key) or self._any_left(connection, key):
                return
            self._empty(connection, key)
            gone = self._remove_owner(connection, key)
            count(gone)
        yield gone

    def _still_due(self, connection: Session, key: Any) -> bool:
        # Of the locks that keep the row as it is, this is the one that does not make new rows of the owner wait.
        query = sql.SQL("SELECT true FROM {} AS t WHERE {} = {} AND {} FOR NO KEY UPDATE SKIP LOCKED").format(
            sql.Identifier(self.owner.name), sql.Identifier("t", self.owner.key), sql.Literal(key), self._due
        )
        return connection.execute(query).fetchone() is not None

    def _any_left(self, connection: Session, key: Any) -> bool:
        """Rows that are no longer held but could not go: locked by somebody, or referred to by what is held."""
        return any(self._owned_and_free(record, key).any_left(connection) for record in self.owned)

    def _owned_and_free(self, record: Record, key: Any) -> Doomed:
        condition = sql.SQL("{} = {} AND {}").format(
            sql.Identifier("t", owner_column(record, self.owner.name)), sql.Literal(key), self._not_held(record, "t")
        )
        return self._doomed(record, condition)

    def _empty(self, connection: Session, key: Any) -> None:
        emptied = [sql.SQL("{} = NULL").format(sql.Identifier(f.name)) for f in self.owner.fields if f.personal]
        erased = sql.SQL("{} = {}").format(sql.Identifier(self.rule.erased_column), sql.Literal(self.due.as_of))
        connection.execute(
            sql.SQL("UPDATE {} AS t SET {} WHERE {} = {} AND {} IS NULL AND {}").format(
                sql.Identifier(self.owner.name),
                sql.SQL(", ").join([*emptied, erased]),
                sql.Identifier("t", self.owner.key),
                sql.Literal(key),
                self._erased("t"),
                self._not_held(self.owner, "t"),
            )
        )

    def _remove_owner(self, connection: Session, key: Any) -> int:
        query = sql.SQL("DELETE FROM {} AS t WHERE {} = {} AND {}")
        return connection.execute(
            query.format(
                sql.Identifier(self.owner.name),
                sql.Identifier("t", self.owner.key),
                sql.Literal(key),
                self._free("t"),
            )
        ).rowcount

    @property
    def _due(self) -> sql.Composed:
        return self.due.reached(sql.Identifier("t", self.rule.time_column))

    def _erased(self, alias: str) -> sql.Identifier:
        return sql.Identifier(alias, self.rule.erased_column)

    def _free(self, alias: str) -> sql.Composed:
        """The condition that an owner's row may go: nothing refers to it that must, or that is kept because of it."""
        nobody = no_row_refers(self._keeping, sql.Identifier(alias, self.owner.key))
        return sql.SQL("({} AND {})").format(nobody, self._not_held(self.owner, alias))

    @property
    def _keeping(self) -> list[tuple[Record, Field]]:
        columns = referring(self.records, self.owner.name)
        return [(record, field) for record, field in columns if field.required or record in self.owned]

    def _not_held(self, record: Record, alias: str) -> sql.Composed:
        conditions: list[sql.SQL | sql.Composed] = [sql.SQL("true")]
        for hold, end in self.holds:
            if hold.record == record.name:
                ended = sql.SQL("{} IS TRUE").format(end.reached(sql.Identifier(alias, hold.time_column)))
                conditions.append(sql.SQL("({})").format(sql.SQL(" OR ").join([ended, *_other_kind(hold, alias)])))
        return sql.SQL(" AND ").join(conditions)


def _other_kind(hold: Hold, alias: str) -> list[sql.Composed]:
    if hold.kind_column is None:
        return []
    kinds = sql.SQL(", ").join(sql.Literal(kind) for kind in hold.kinds)
    return [sql.SQL("{} NOT IN ({})").format(sql.Identifier(alias, hold.kind_column), kinds)]
