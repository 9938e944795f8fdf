"""One kind of rule: rows go at an age, with whole partitions where there are some; ledger entries are summed up."""

from functools import partial

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Expire
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.evidence import Evidence
from crouter.runtime.retention.fold import Folding
from crouter.runtime.retention.partitions import partitions_of
from crouter.runtime.retention.parts import Batches, InPartitions, Part
from crouter.runtime.retention.references import unreferenced
from crouter.runtime.retention.rows import Doomed, remove_batch


def expire_parts(
    deployment: Deployment, rule: Expire, cutoff: Cutoff, evidence: Evidence | None = None
) -> tuple[Part, ...]:
    """The parts of the rule at one cut-off; the evidence of the run that asks is spared.

    Raises RetentionRefusedError for a fold that cannot be carried out.
    """
    foldings = [Folding.of(fold, deployment.record(fold.record), cutoff) for fold in rule.folds]
    partitions = {item.record: item for item in partitions_of(deployment, rule)}
    parts: list[Part] = [Batches(folding.doomed, folding.batch) for folding in foldings]
    for name in rule.records:
        if name in partitions:
            parts.append(InPartitions(_in_partitions(deployment, rule, name, cutoff), partitions[name], cutoff))
        else:
            doomed, free = _aged(deployment, rule, name, cutoff, evidence)
            parts.append(Batches(doomed, partial(remove_batch, free)))
    return tuple(parts)


def _in_partitions(deployment: Deployment, rule: Expire, name: str, cutoff: Cutoff) -> Doomed:
    """The rows of age of a partitioned record. Nothing refers to them, and no evidence is among them."""
    time = sql.Identifier("t", rule.time_column)
    keys = (deployment.record(name).key, rule.time_column)
    scope = sql.SQL("{} <= {}").format(time, sql.Literal(cutoff.bound))
    return Doomed(name, keys, cutoff.reached(time), rule.time_column, scope)


def _aged(
    deployment: Deployment, rule: Expire, name: str, cutoff: Cutoff, evidence: Evidence | None
) -> tuple[Doomed, Doomed]:
    """The rows of age, and those of them that nothing refers to: what refers to a row has to go before it."""
    record = deployment.record(name)
    reached = cutoff.reached(sql.Identifier("t", rule.time_column))
    aged = sql.SQL("{} AND {}").format(reached, evidence.spares(record)) if evidence else reached
    free = sql.SQL("{} AND {}").format(aged, unreferenced(deployment.records, record, "t"))
    return (
        Doomed(record.name, (record.key,), aged, rule.time_column),
        Doomed(record.name, (record.key,), free, rule.time_column),
    )
