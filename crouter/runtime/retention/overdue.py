"""Says what should be gone by now and is not, and which rule has not run when it should have. Removes nothing.

This is the alarm for a job that has stopped: it asks the data, not the job.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase, Expire
from crouter.runtime.database.errors import translated
from crouter.runtime.retention.cutoff import Cutoff, earlier
from crouter.runtime.retention.erase import Erasure
from crouter.runtime.retention.evidence import last_complete
from crouter.runtime.retention.expire import expire_parts
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.partitions import partitions_of
from crouter.runtime.retention.rows import Doomed
from crouter.runtime.retention.run import moment, rules_of
from crouter.runtime.retention.session import Session, open_session


@dataclass(frozen=True, slots=True)
class Overdue:
    """`rows` of `record` that `rule` should have dealt with, counted up to a million.

    Of the kind `no_time` are rows that no rule can ever deal with, since they do not say when their time begins; of the
    kind `not_run` is a rule whose last complete run is too old. `detached` are partitions that somebody took out of
    their table; `no_partition` says that no run has made the partition for rows to come.
    """

    rule: str
    record: str
    kind: Literal["rows", "owners", "no_time", "not_run", "detached", "no_partition"]
    rows: int


def find_overdue(dsn: str, deployment: Deployment, options: RetentionOptions) -> list[Overdue]:
    """Everything that is overdue at `options.as_of`, for all rules or one. Raises as `run_retention` does."""
    rules = rules_of(deployment, options.rule)
    with translated(), open_session(dsn, deployment.database_schema, read_only=True) as connection:
        as_of = moment(connection, options)
        found: list[Overdue] = []
        for rule in rules:
            if isinstance(rule, Expire):
                found += _expire(connection, deployment, rule, as_of)
            else:
                found += _erase(connection, deployment, rule, as_of)
            found += _not_run(connection, deployment, rule, as_of)
    return found


def _expire(connection: Session, deployment: Deployment, rule: Expire, as_of: datetime) -> list[Overdue]:
    latest = earlier(as_of, rule.schedule.every, rule.schedule.lag_max)
    parts = expire_parts(deployment, rule, Cutoff.compute(connection, rule.keep, latest))
    counts = [(part.doomed.record, part.expected(connection)) for part in parts]
    late = [Overdue(rule.name, record, "rows", rows) for record, rows in counts if rows]
    timeless = [(name, _without(connection, deployment.record(name), rule.time_column)) for name in rule.records]
    late += [Overdue(rule.name, record, "no_time", rows) for record, rows in timeless if rows]
    return late + _partitions(connection, deployment, rule)


def _partitions(connection: Session, deployment: Deployment, rule: Expire) -> list[Overdue]:
    found: list[Overdue] = []
    has_run = _last_run(connection, deployment, rule) is not None
    for partitions in partitions_of(deployment, rule):
        known, soon = partitions.known(connection), partitions.next(connection)
        detached = [partition for partition in known if not partition.attached]
        if detached:
            found.append(Overdue(rule.name, partitions.record, "detached", len(detached)))
        # Before the first run rows go to the rest, which is what it is for.
        if has_run and not any(p.attached and p.starts <= soon < p.ends for p in known):
            found.append(Overdue(rule.name, partitions.record, "no_partition", 0))
    return found


def _without(connection: Session, record: Record, column: str) -> int:
    condition = sql.SQL("{} IS NULL").format(sql.Identifier("t", column))
    return Doomed(record.name, (record.key,), condition, column).count(connection)


def _erase(connection: Session, deployment: Deployment, rule: Erase, as_of: datetime) -> list[Overdue]:
    erasure = Erasure.of(connection, deployment, rule, Cutoff.compute(connection, rule.within, as_of))
    owners = erasure.doomed.count(connection)
    return [Overdue(rule.name, rule.owner, "owners", owners)] if owners else []


def _not_run(connection: Session, deployment: Deployment, rule: Expire | Erase, as_of: datetime) -> list[Overdue]:
    last = _last_run(connection, deployment, rule)
    # A rule that never ran may belong to a service that began a minute ago; its rows are looked at all the same.
    if last is None or last >= earlier(as_of, rule.schedule.every, rule.schedule.lag_max):
        return []
    return [Overdue(rule.name, str(deployment.retention.evidence), "not_run", 0)]


def _last_run(connection: Session, deployment: Deployment, rule: Expire | Erase) -> datetime | None:
    if deployment.retention.evidence is None:
        return None
    return last_complete(connection, deployment.record(deployment.retention.evidence), rule.name)
