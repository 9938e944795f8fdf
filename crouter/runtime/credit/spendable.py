"""What an account can still spend, as the database counts it: its ledger's sum, less what its batches hold, less what
living leases have left.

Whoever takes some of it - a lease for a process, a reservation for a batch - takes the account's lock first, and then
reads everything in one statement: a charge and what it takes off its lease are seen both or neither.
"""

from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import BATCH, CREDIT_LEASE, LEDGER

NAMELESS_SECONDS: Final = 900
"""How long a batch's record without an id holds something: longer than any request for a new batch is under way."""
_LOCK: Final = 0x63726564
_NO_LEASE: Final = sql.SQL("NULL::uuid")


@dataclass(frozen=True, slots=True)
class Spendable:
    """Parts of statements. All but `lock` are scalars, in nanodollars."""

    lock: sql.Composed
    """A statement of its own; what it locks is free with the end of the transaction. Its parameter: the id as text."""
    unreserved: sql.Composed
    """The ledger's sum, less what batches hold."""
    leased: sql.Composed
    """What living leases have left."""


def spendable_of(
    deployment: Deployment, database: Database, account: sql.Composable, *, but: sql.Composable = _NO_LEASE
) -> Spendable:
    """The parts for an account; `but` is the id of a lease that is not counted, an expression.

    Where the policy declares no batches, none hold anything.
    """
    has_batches = any(record.name == BATCH for record in deployment.records)
    return Spendable(
        lock=sql.SQL("SELECT pg_advisory_xact_lock({}, hashtext(%s))").format(sql.Literal(_LOCK)),
        unreserved=sql.SQL(
            "((SELECT coalesce(sum(amount_nanousd), 0)::bigint FROM {} WHERE account_id = {}) - {})"
        ).format(database.table(LEDGER), account, held_by(database, account) if has_batches else sql.SQL("0")),
        leased=sql.SQL(
            "(SELECT coalesce(sum(greatest(remaining_nanousd, 0)), 0)::bigint FROM {} "
            "WHERE account_id = {} AND id IS DISTINCT FROM {} AND expires_at > clock_timestamp())"
        ).format(database.table(CREDIT_LEASE), account, but),
    )


def held_by(database: Database, account: sql.Composable) -> sql.Composed:
    """A scalar: nanodollars that the batches of an account hold."""
    return sql.SQL(
        "(SELECT coalesce(sum(b.held_nanousd), 0)::bigint FROM {} AS b WHERE b.account_id = {}"
        " AND b.settled_at IS NULL AND b.ended_at IS NULL"
        " AND (b.upstream_id IS NOT NULL OR b.created_at > now() - make_interval(secs => {})))"
    ).format(database.table(BATCH), account, sql.Literal(NAMELESS_SECONDS))
