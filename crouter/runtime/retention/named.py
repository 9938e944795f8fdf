"""Erases owners that are named, at once and beside the schedule: for deletions that a restored backup had undone."""

import time
import uuid
from collections.abc import Sequence
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase
from crouter.runtime.database.errors import translated
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.erase import Erasure
from crouter.runtime.retention.evidence import Evidence
from crouter.runtime.retention.options import RetentionRefusedError
from crouter.runtime.retention.session import Session, clock, open_session, rule_lock

ROWS_TOGETHER: Final = 10_000
LOCK_WAIT_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.5


def erase_named(dsn: str, deployment: Deployment, rule: Erase, owners: Sequence[uuid.UUID]) -> int:
    """Erase those of `owners` that are due by `rule`; how many rows went. Blocks; may be killed and repeated.

    That many would go is no reason to refuse: each is known by name. Raises RetentionRefusedError if one of them could
    not be erased, DatabaseError.
    """
    with translated(), open_session(dsn, deployment.database_schema) as connection:
        until = time.monotonic() + LOCK_WAIT_SECONDS
        while time.monotonic() < until:
            with rule_lock(connection, deployment.database_schema, rule.name) as held:
                if held:
                    return _erase(connection, deployment, rule, owners)
            time.sleep(_PAUSE_SECONDS)
    raise RetentionRefusedError("another run of the deletion rule does not end: try again")


def _erase(connection: Session, deployment: Deployment, rule: Erase, owners: Sequence[uuid.UUID]) -> int:
    as_of, gone = clock(connection), 0
    record = deployment.retention.evidence
    evidence = Evidence(deployment.record(record) if record else None, rule.name, deployment.policy_digest)
    erasure = Erasure.of(connection, deployment, rule, Cutoff.compute(connection, rule.grace, as_of))
    evidence.begin(connection, as_of)
    for owner in owners:
        for rows in erasure.of_owner(connection, owner, ROWS_TOGETHER, lambda rows: evidence.removed(connection, rows)):
            gone += rows
    left = _left(connection, rule, owners)
    evidence.end(connection, "failed" if left else "complete")
    if left:
        raise RetentionRefusedError(f"{left} accounts could not be erased: their rows are in use")
    return gone


def _left(connection: Session, rule: Erase, owners: Sequence[uuid.UUID]) -> int:
    """How many are there and not empty."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE id = ANY(%s) AND {} IS NULL").format(
        sql.Identifier(rule.owner), sql.Identifier(rule.erased_column)
    )
    row = connection.execute(query, (list(owners),)).fetchone()
    assert row is not None
    return int(row[0])
