"""One kind of rule: rows go at an age, and ledger entries of that age are summed up."""

from functools import partial

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Expire
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.evidence import Evidence
from crouter.runtime.retention.fold import Folding
from crouter.runtime.retention.parts import Batches
from crouter.runtime.retention.references import unreferenced
from crouter.runtime.retention.rows import Doomed, remove_batch


def expire_parts(
    deployment: Deployment, rule: Expire, cutoff: Cutoff, evidence: Evidence | None = None
) -> tuple[Batches, ...]:
    """The parts of the rule at one cut-off; the evidence of the run that asks is spared.

    Raises RetentionRefusedError for a fold that cannot be carried out.
    """
    foldings = [Folding.of(fold, deployment.record(fold.record), cutoff) for fold in rule.folds]
    aged = [_aged(deployment, rule, name, cutoff, evidence) for name in rule.records]
    return (
        *(Batches(folding.doomed, folding.batch) for folding in foldings),
        *(Batches(doomed, partial(remove_batch, free)) for doomed, free in aged),
    )


def _aged(
    deployment: Deployment, rule: Expire, name: str, cutoff: Cutoff, evidence: Evidence | None
) -> tuple[Doomed, Doomed]:
    """The rows of age, and those of them that nothing refers to: what refers to a row has to go before it."""
    record = deployment.record(name)
    reached = cutoff.reached(sql.Identifier("t", rule.time_column))
    aged = sql.SQL("{} AND {}").format(reached, evidence.spares(record)) if evidence else reached
    free = sql.SQL("{} AND {}").format(aged, unreferenced(deployment.records, record, "t"))
    return (
        Doomed(record.name, record.key, aged, rule.time_column),
        Doomed(record.name, record.key, free, rule.time_column),
    )
