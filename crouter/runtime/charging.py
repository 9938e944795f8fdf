"""The one statement that charges for many requests: ledger, leases of credit, months of keys, leases of limits.

What was charged before is left out of everything, so that shipping twice changes nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.entry import Entry
from crouter.runtime.names import CREDIT_LEASE, KEY_SPENDING, LEDGER, SPENDING_LEASE
from crouter.runtime.spending.months import month_of
from crouter.runtime.spending.spending import limits_of_charge
from crouter.runtime.spending.store import has_spending_limits

CHARGE: Final = "charge"

_CHARGED: Final = sql.SQL(
    "WITH new AS (SELECT * FROM json_to_recordset(%(charges)s::json) AS new (id uuid, account_id uuid, "
    "amount bigint, occurred_at timestamptz, price_version text, api_key_id uuid, month timestamptz, "
    "key_limit uuid, account_limit uuid)), "
    "charged AS (INSERT INTO {ledger} (id, account_id, kind, amount_nanousd, occurred_at, price_version) "
    "SELECT id, account_id, {charge}, amount, occurred_at, price_version FROM new "
    "ON CONFLICT DO NOTHING RETURNING id, account_id, amount_nanousd), "
    "spent AS (SELECT account_id, sum(amount_nanousd)::bigint AS amount FROM charged GROUP BY account_id), "
)
_LEASED: Final = sql.SQL(
    "leased AS (UPDATE {lease} AS l SET remaining_nanousd = l.remaining_nanousd + spent.amount FROM spent "
    "WHERE l.process_id = %(process)s AND l.account_id = spent.account_id "
    "RETURNING l.account_id, l.remaining_nanousd) "
    "SELECT true, account_id, remaining_nanousd FROM leased"
)
# The months of keys are written in the order of their ids, as every process does.
_COUNTED: Final = sql.SQL(
    "counted AS (INSERT INTO {spending} AS k (id, account_id, api_key_id, month, spent_nanousd) "
    "SELECT key_limit, n.account_id, api_key_id, month, -sum(amount)::bigint FROM new AS n JOIN charged USING (id) "
    "GROUP BY key_limit, n.account_id, api_key_id, month ORDER BY key_limit "
    "ON CONFLICT (id) DO UPDATE SET spent_nanousd = k.spent_nanousd + excluded.spent_nanousd), "
    "below AS (SELECT limit_id, sum(amount)::bigint AS amount FROM "
    "(SELECT id, amount, key_limit AS limit_id FROM new "
    "UNION ALL SELECT id, amount, account_limit FROM new) AS both_of "
    "JOIN charged USING (id) GROUP BY limit_id), "
    "room AS (UPDATE {room} AS r SET remaining_nanousd = r.remaining_nanousd + below.amount FROM below "
    "WHERE r.process_id = %(process)s AND r.limit_id = below.limit_id RETURNING r.limit_id, r.remaining_nanousd), "
)
_ROOM: Final = sql.SQL(" UNION ALL SELECT false, limit_id, remaining_nanousd FROM room")


def charging(deployment: Deployment, database: Database) -> sql.Composed:
    """The statement. It gives what leases of the process have left: whether of an account, the id, nanodollars."""
    limited = has_spending_limits(deployment)
    parts = (_CHARGED, *((_COUNTED,) if limited else ()), _LEASED, *((_ROOM,) if limited else ()))
    names = {
        "ledger": database.table(LEDGER),
        "lease": database.table(CREDIT_LEASE),
        "spending": database.table(KEY_SPENDING),
        "room": database.table(SPENDING_LEASE),
        "charge": sql.Literal(CHARGE),
    }
    return sql.Composed([part.format(**names) for part in parts])


def charges(entries: Sequence[Entry]) -> str:
    """The entries as the statement takes them."""
    rows = []
    for entry in entries:
        key_limit, account_limit = limits_of_charge(*whose(entry))
        rows.append(
            {
                "id": entry.id,
                "account_id": entry.account,
                "amount": -entry.cost_nanousd,
                "occurred_at": entry.occurred_at,
                "price_version": entry.price_version,
                "api_key_id": entry.api_key,
                "month": month_of(entry.occurred_at),
                "key_limit": key_limit,
                "account_limit": account_limit,
            }
        )
    return msgspec.json.encode(rows).decode()


def whose(entry: Entry) -> tuple[uuid.UUID, uuid.UUID, datetime]:
    """Whose charge an entry is, and when it was made."""
    return entry.account, entry.api_key, entry.occurred_at
