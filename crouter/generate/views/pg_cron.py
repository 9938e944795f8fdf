"""The retention rules as jobs of pg_cron, for a database where no worker runs, such as a small project on Supabase."""

from dataclasses import dataclass

from crouter.contract.retention import Erase, Expire, Period
from crouter.generate.purges import Erasing, aged, folded, interval, lock_key, remove, sum_up, table, unreferenced
from crouter.generate.templates import Templates
from crouter.plan.plan import Plan
from crouter.plan.sql import identifier, literal

_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Weighed:
    """How many rows of a table would go, to be compared with how many there are."""

    table: str
    condition: str


@dataclass(frozen=True, slots=True)
class JobView:
    """One rule for the template; texts are SQL. What belongs to the other kind of rule is empty."""

    name: str
    procedure: str
    schedule: str
    lock: int
    rule: str
    weighed: tuple[Weighed, ...]
    keep: str = ""
    batches: tuple[str, ...] = ()
    partitioned: tuple[str, ...] = ()
    width: str = ""
    owners: str = ""
    owner_type: str = "uuid"
    owner_is_due: str = ""
    of_owner: tuple[str, ...] = ()
    owner_is_done: str = ""
    end_of_owner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PgCronView:
    """Everything that the template draws."""

    header: str
    digest: str
    evidence: str
    evidence_key: str
    jobs: tuple[JobView, ...]


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """retention/pg_cron.sql."""
    retention = plan.retention
    expiries = tuple(_expiry(plan, rule) for rule in retention.expire)
    deletions = tuple(_deletion(plan, rule) for rule in retention.erase)
    kept = plan.deployment.record(retention.evidence) if retention.evidence else None
    view = PgCronView(
        header=plan.header,
        digest=literal(plan.digest),
        evidence=table(kept.name) if kept else "",
        evidence_key=identifier(kept.key) if kept else "",
        jobs=(*expiries, *deletions),
    )
    return {"retention/pg_cron.sql": templates.render("retention/pg_cron.sql.jinja", view)}


def schedule_of(every: Period) -> str:
    """A cron expression in UTC that is at least as often as `every`."""
    seconds = (every.months * 28 + every.days) * _DAY + every.seconds
    if seconds >= _DAY:
        return "0 3 * * *"
    if seconds >= _HOUR:
        return "0 * * * *"
    return "* * * * *"


def _expiry(plan: Plan, rule: Expire) -> JobView:
    records = plan.deployment.records
    named = {record.name: record for record in records}
    spared = {
        name: f" AND t.{identifier(named[name].key)} <> job.run" if name == plan.retention.evidence else ""
        for name in rule.records
    }
    return JobView(
        name=rule.name,
        procedure=_procedure(rule.name),
        schedule=literal(schedule_of(rule.schedule.every)),
        lock=lock_key(rule.name),
        rule=literal(rule.name),
        keep=interval(rule.keep),
        weighed=(
            *(Weighed(table(fold.record), folded(fold, rule.keep)) for fold in rule.folds),
            *(Weighed(table(name), aged(rule, spared[name])) for name in rule.records),
        ),
        batches=(
            *(sum_up(fold, named[fold.record], rule.keep) for fold in rule.folds),
            *(
                remove(named[name], f"{aged(rule, spared[name])} AND {unreferenced(records, named[name])}")
                for name in rule.records
            ),
        ),
        partitioned=tuple(literal(name) for name in rule.records) if rule.partitions else (),
        width=interval(rule.partitions) if rule.partitions else "",
    )


def _deletion(plan: Plan, rule: Erase) -> JobView:
    erasing = Erasing(rule, plan.deployment.records)
    owner, key = table(rule.owner), identifier(erasing.owner.key)
    erased = identifier(rule.erased_column)
    mine = f"t.{key} = job.owner"
    held = erasing.not_held(erasing.owner, "t")
    left = (
        f"EXISTS (SELECT FROM {table(record.name)} AS t WHERE {erasing.left(record, 'job.owner')})"
        for record in erasing.owned
    )
    return JobView(
        name=rule.name,
        procedure=_procedure(rule.name),
        schedule=literal(schedule_of(rule.schedule.every)),
        lock=lock_key(rule.name),
        rule=literal(rule.name),
        weighed=(Weighed(owner, f"{erasing.due} AND t.{erased} IS NULL AND {held}"),),
        owners=f"SELECT t.{key} FROM {owner} AS t WHERE {erasing.due} AND ({erasing.to_do}) ORDER BY t.{key}",  # noqa: S608
        owner_type=_type_of_key(plan, erasing.owner.name),
        owner_is_due=f"PERFORM FROM {owner} AS t WHERE {mine} AND {erasing.due} FOR NO KEY UPDATE SKIP LOCKED;",
        of_owner=tuple(
            f"DELETE FROM {table(record.name)} AS t WHERE {erasing.removable(record, 'job.owner')};"  # noqa: S608
            for record in erasing.owned
        ),
        owner_is_done=f"NOT ({' OR '.join(left) or 'false'})",
        end_of_owner=(
            f"UPDATE {owner} AS t SET {erasing.emptied()} WHERE {mine} AND t.{erased} IS NULL AND {held};",  # noqa: S608
            f"DELETE FROM {owner} AS t WHERE {mine} AND {erasing.free('t')};",  # noqa: S608
        ),
    )


def _procedure(rule: str) -> str:
    return f"{identifier('crouter_cron')}.{identifier(rule)}"


def _type_of_key(plan: Plan, name: str) -> str:
    key = plan.deployment.record(name).key
    (found,) = (table for table in plan.schema.tables if table.name == name)
    return next(column.sql_type for column in found.columns if column.name == key)
