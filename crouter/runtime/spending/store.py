"""Leases of room below spending limits, in the database: what `crouter.runtime.credit.store` is for a balance.

The room of a limit is the limit, less what was charged in its month, less what open batches hold. The limit itself is
read each time, so that the database's word counts.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.account_limits import MONTH_LIMIT
from crouter.runtime.credit.spendable import NAMELESS_SECONDS, spendable_of
from crouter.runtime.credit.store import LeaseStore
from crouter.runtime.database.pool import Database
from crouter.runtime.names import ACCOUNT_LIMITS, API_KEY, BATCH, KEY_SPENDING, SPENDING_LEASE
from crouter.runtime.spending.months import SPENDING_CHANNEL

NO_LIMIT_NANOUSD: Final = 1 << 60
"""Stands for a limit that was taken away: more than anybody has."""
KNOWN_MAX: Final = 50_000


@dataclass(frozen=True, slots=True)
class MonthLimit:
    """One month of a limit: that of a key, or of an account where `key` is None."""

    id: uuid.UUID
    account: uuid.UUID
    key: uuid.UUID | None
    month: datetime


def has_spending_limits(deployment: Deployment) -> bool:
    """Whether the policy declares what they need."""
    declared = {record.name for record in deployment.records}
    has_tables = declared >= {ACCOUNT_LIMITS, KEY_SPENDING, SPENDING_LEASE}
    return has_tables and MONTH_LIMIT in deployment.record(API_KEY).field_names


class SpendingStore(LeaseStore):
    """The leases of one process. Where `LeaseStore` takes an account, this takes the id of a month that is `known`."""

    def __init__(self, deployment: Deployment, database: Database, process: uuid.UUID) -> None:
        self._database = database
        self.process = process
        self.channel = SPENDING_CHANNEL
        self.known: dict[uuid.UUID, MonthLimit] = {}
        names = {"lease": database.table(SPENDING_LEASE)}
        self._lock = spendable_of(deployment, database, sql.SQL("NULL")).lock
        has_batches = any(record.name == BATCH for record in deployment.records)
        self._state = sql.SQL(
            "SELECT {limit} - {spent} - {held}, "
            "(SELECT coalesce(sum(greatest(remaining_nanousd, 0)), 0)::bigint FROM {lease} WHERE limit_id = %(limit)s"
            " AND id IS DISTINCT FROM %(id)s::uuid AND expires_at > clock_timestamp()), "
            "own.remaining_nanousd, own.expires_at > clock_timestamp() "
            "FROM (SELECT 1) AS one LEFT JOIN {lease} AS own ON own.id = %(id)s::uuid"
        ).format(
            limit=_limit(database),
            spent=_spent(database),
            held=_held(database) if has_batches else sql.SQL("0"),
            **names,
        )
        self._change = sql.SQL(
            "INSERT INTO {lease} AS l (id, account_id, limit_id, process_id, remaining_nanousd, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, clock_timestamp() + %s) ON CONFLICT (id) DO UPDATE "
            "SET remaining_nanousd = l.remaining_nanousd + excluded.remaining_nanousd, expires_at = excluded.expires_at"
        ).format(**names)
        self._prepare(names)

    def know(self, limit: MonthLimit) -> None:
        """Remembers what an id stands for."""
        if len(self.known) >= KNOWN_MAX:
            for id_ in [id_ for id_, one in self.known.items() if one.month < limit.month][:KNOWN_MAX]:
                del self.known[id_]
        self.known[limit.id] = limit

    def _asked(self, lease: uuid.UUID, account: uuid.UUID) -> Mapping[str, object]:
        limit = self.known[account]
        return {"id": lease, "limit": limit.id, "account": limit.account, "key": limit.key, "month": limit.month}

    def _changed(self, lease: uuid.UUID, account: uuid.UUID, granted: int, lifetime: timedelta) -> Sequence[object]:
        return (lease, self.known[account].account, account, self.process, granted, lifetime)


def _limit(database: Database) -> sql.Composed:
    return sql.SQL(
        "coalesce(CASE WHEN %(key)s::uuid IS NULL"
        " THEN (SELECT month_limit_nanousd FROM {} WHERE account_id = %(account)s)"
        " ELSE (SELECT month_limit_nanousd FROM {} WHERE id = %(key)s) END, {})"
    ).format(database.table(ACCOUNT_LIMITS), database.table(API_KEY), sql.Literal(NO_LIMIT_NANOUSD))


def _spent(database: Database) -> sql.Composed:
    return sql.SQL(
        "(SELECT coalesce(sum(spent_nanousd), 0)::bigint FROM {} WHERE account_id = %(account)s"
        " AND month = %(month)s AND (%(key)s::uuid IS NULL OR api_key_id = %(key)s))"
    ).format(database.table(KEY_SPENDING))


def _held(database: Database) -> sql.Composed:
    return sql.SQL(
        "(SELECT coalesce(sum(held_nanousd), 0)::bigint FROM {} WHERE account_id = %(account)s"
        " AND (%(key)s::uuid IS NULL OR api_key_id = %(key)s) AND settled_at IS NULL AND ended_at IS NULL"
        " AND (upstream_id IS NOT NULL OR created_at > now() - make_interval(secs => {})))"
    ).format(database.table(BATCH), sql.Literal(NAMELESS_SECONDS))
