"""Retention rules as conditions and statements of plpgsql, for databases where pg_cron does what the worker would.

They say the same as `crouter/runtime/retention`, which is where the reasons stand; tests run both on the same rows.
Statements stand in a procedure whose variables are in the block `job`: `job.moment` is the moment that ages are
measured at. Columns are always qualified, by `t` for the table that a statement is about.
"""

from collections.abc import Iterable
from hashlib import sha256

from crouter.contract.data import Field, Record
from crouter.contract.retention import Erase, Expire, Fold, Hold, Period
from crouter.plan.schema import SCHEMA
from crouter.plan.sql import identifier, literal

ROWS_TOGETHER = 10_000


def table(name: str) -> str:
    return f"{identifier(SCHEMA)}.{identifier(name)}"


def interval(period: Period) -> str:
    return f"make_interval(months => {period.months}, days => {period.days}, secs => {period.seconds})"


def lock_key(rule: str) -> int:
    """The advisory lock of a rule: the worker's, so that only one of the two carries it out at a time."""
    return int.from_bytes(sha256(f"retention {SCHEMA} {rule}".encode()).digest()[:8], "big", signed=True)


def reached(column: str, keep: Period, bound: str = "") -> str:
    """The condition that `column` is of age; with `bound`, an index can be used."""
    exact = f"{column} + {interval(keep)} <= job.moment"
    return f"({column} <= {bound} AND {exact})" if bound else f"({exact})"


def aged(rule: Expire, spared: str = "") -> str:
    """The condition for the rows `t` of an expiry."""
    return reached(f"t.{identifier(rule.time_column)}", rule.keep, "job.bound") + spared


def folded(fold: Fold, keep: Period) -> str:
    """The condition for the entries `t` that are summed up."""
    time = f"t.{identifier(fold.time_column)}"
    return f"t.{identifier(fold.kind_column)} = {literal(fold.kind)} AND {reached(time, keep, 'job.bound')}"


def remove(record: Record, condition: str) -> str:
    """Removes the next rows, in one statement that gives their number."""
    batch = f"SELECT t.tableoid AS part, t.ctid AS place FROM {table(record.name)} AS t WHERE {condition}"  # noqa: S608
    return (
        f"WITH batch AS MATERIALIZED ({batch} LIMIT {ROWS_TOGETHER} FOR UPDATE OF t SKIP LOCKED),\n"  # noqa: S608
        f"gone AS (DELETE FROM {table(record.name)} AS t USING batch\n"
        f"    WHERE t.tableoid = batch.part AND t.ctid = batch.place AND {condition} RETURNING true)\n"
        "SELECT count(*) INTO job.gone FROM gone;"
    )


def sum_up(fold: Fold, record: Record, keep: Period) -> str:
    """Sums the next entries up for each owner, with what was carried before, and looks that no balance moves."""
    names = {
        "table": table(record.name),
        "key": identifier(record.key),
        "owner": identifier(fold.owner_column),
        "kind": identifier(fold.kind_column),
        "amount": identifier(fold.sum_column),
        "time": identifier(fold.time_column),
        "into": literal(fold.into),
        "condition": folded(fold, keep),
        "rows": 10 * ROWS_TOGETHER,
    }
    return _SUM_UP.format(**names)


_SUM_UP = """\
WITH batch AS MATERIALIZED (
    SELECT t.{key} AS key, t.{owner} AS owner FROM {table} AS t WHERE {condition} LIMIT {rows}
    FOR UPDATE OF t SKIP LOCKED
), aged AS (
    DELETE FROM {table} AS t USING batch WHERE t.{key} = batch.key RETURNING t.{owner} AS owner, t.{amount} AS amount
), carried AS (
    DELETE FROM {table} AS t WHERE t.{kind} = {into} AND t.{owner} IN (SELECT batch.owner FROM batch)
    RETURNING t.{owner} AS owner, t.{amount} AS amount
), entries AS (
    INSERT INTO {table} AS t ({key}, {owner}, {kind}, {amount}, {time})
    SELECT gen_random_uuid(), g.owner, {into}, sum(g.amount), job.bound
    FROM (SELECT * FROM aged UNION ALL SELECT * FROM carried) AS g GROUP BY g.owner
    RETURNING t.{amount} AS amount
)
SELECT (SELECT count(*) FROM aged), (SELECT coalesce(sum(e.amount), 0) FROM entries AS e)
    - (SELECT coalesce(sum(a.amount), 0) FROM aged AS a) - (SELECT coalesce(sum(c.amount), 0) FROM carried AS c)
INTO job.gone, job.moved;
IF job.moved <> 0 THEN
    RAISE EXCEPTION 'summing up would move a balance';
END IF;"""


class Erasing:
    """The conditions of one deletion rule."""

    def __init__(self, rule: Erase, records: tuple[Record, ...]) -> None:
        self._rule, self._records = rule, records
        self.owner = next(record for record in records if record.name == rule.owner)
        self.owned = tuple(next(r for r in records if r.name == name) for name in rule.records)

    @property
    def due(self) -> str:
        """Of owners `t`."""
        return reached(f"t.{identifier(self._rule.time_column)}", self._rule.grace)

    @property
    def to_do(self) -> str:
        """Of due owners `t`: something of them is still there that may go."""
        key = f"t.{identifier(self.owner.key)}"
        left = (f"EXISTS (SELECT FROM {table(r.name)} AS x WHERE {self.removable(r, key, 'x')})" for r in self.owned)
        empty = f"(t.{identifier(self._rule.erased_column)} IS NULL AND {self.not_held(self.owner, 't')})"
        return " OR ".join((empty, self.free("t"), *left))

    def removable(self, record: Record, key: str, alias: str = "t") -> str:
        """Of owned rows that nothing keeps; `key` is the owner's."""
        parts = (
            f"{alias}.{identifier(self._owner_column(record))} = {key}",
            self.not_held(record, alias),
            _nothing_refers(_referring(self._records, record.name, required=True), f"{alias}.{identifier(record.key)}"),
        )
        return " AND ".join(parts)

    def left(self, record: Record, key: str) -> str:
        """Of owned rows that ought to go, whether they can or not."""
        return f"t.{identifier(self._owner_column(record))} = {key} AND {self.not_held(record, 't')}"

    def free(self, alias: str) -> str:
        """Of owners: the row itself may go."""
        names = {record.name for record in self.owned}
        refers = [
            (record, field)
            for record, field in _referring(self._records, self.owner.name)
            if field.required or record.name in names
        ]
        nothing = _nothing_refers(refers, f"{alias}.{identifier(self.owner.key)}")
        return f"({nothing} AND {self.not_held(self.owner, alias)})"

    def not_held(self, record: Record, alias: str) -> str:
        """No law requires the row any more."""
        holds = (hold for hold in self._rule.holds if hold.record == record.name)
        return " AND ".join(("true", *(self._ended(hold, alias) for hold in holds)))

    def emptied(self) -> str:
        """What is set when an owner's personal data goes."""
        personal = [f"{identifier(field.name)} = NULL" for field in self.owner.fields if field.personal]
        return ", ".join((*personal, f"{identifier(self._rule.erased_column)} = job.moment"))

    def _ended(self, hold: Hold, alias: str) -> str:
        conditions = [f"{reached(f'{alias}.{identifier(hold.time_column)}', hold.keep)} IS TRUE"]
        if hold.kind_column is not None:
            kinds = ", ".join(literal(kind) for kind in hold.kinds)
            conditions.append(f"{alias}.{identifier(hold.kind_column)} NOT IN ({kinds})")
        return f"({' OR '.join(conditions)})"

    def _owner_column(self, record: Record) -> str:
        columns = [field.name for field in record.fields if field.references == self.owner.name]
        named = f"{self.owner.name}_id"
        return named if named in columns or not columns else columns[0]


def unreferenced(records: tuple[Record, ...], record: Record) -> str:
    """Of rows `t`: no row has to refer to it."""
    return _nothing_refers(_referring(records, record.name, required=True), f"t.{identifier(record.key)}")


def _referring(records: tuple[Record, ...], to: str, *, required: bool = False) -> list[tuple[Record, Field]]:
    columns = ((record, field) for record in records for field in record.fields if field.references == to)
    return [(record, field) for record, field in columns if field.required or not required]


def _nothing_refers(columns: Iterable[tuple[Record, Field]], key: str) -> str:
    conditions = [
        f"NOT EXISTS (SELECT FROM {table(record.name)} AS r WHERE r.{identifier(field.name)} = {key})"
        for record, field in columns
    ]
    return " AND ".join(conditions) or "true"
