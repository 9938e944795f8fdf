"""Adds up what many requests are charged, and writes it all in one statement: usage rows, ledger, leases of credit,
months of keys, leases of limits.

What was charged before is left out of everything, so that shipping twice changes nothing.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.noted import Noted
from crouter.runtime.names import CREDIT_LEASE, KEY_SPENDING, LEDGER, SPENDING_LEASE, USAGE
from crouter.runtime.spending.months import month_of
from crouter.runtime.spending.spending import limits_of_charge
from crouter.runtime.spending.store import has_spending_limits
from crouter.runtime.tally import Tally
from crouter.runtime.usage_columns import UsageColumns

CHARGE: Final = "charge"

# A usage row that comes late is not written, its charge is. And without a target of the conflict: a table in partitions
# has its key in each of them.
_CHARGED: Final = sql.SQL(
    "WITH new AS (SELECT * FROM json_to_recordset(%(entries)s::json) AS new ({read})), "
    "used AS (INSERT INTO {usage} ({names}) SELECT {values} FROM new WHERE id <> ALL (%(late)s::uuid[]) "
    "ON CONFLICT DO NOTHING), "
    "charged AS (INSERT INTO {ledger} (id, account_id, kind, amount_nanousd, occurred_at, price_version) "
    "SELECT id, account, {charge}, -cost_nanousd, occurred_at, price_version FROM new "
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
    "months AS (SELECT m.key_limit, m.account_limit, m.account, m.api_key, m.month, "
    "sum(charged.amount_nanousd)::bigint AS amount FROM charged JOIN new USING (id) "
    "JOIN json_to_recordset(%(tallies)s::json) AS m (account uuid, api_key uuid, month timestamptz, "
    "key_limit uuid, account_limit uuid) ON m.account = new.account AND m.api_key = new.api_key "
    "AND m.month = date_trunc('month', new.occurred_at, 'UTC') GROUP BY 1, 2, 3, 4, 5), "
    "counted AS (INSERT INTO {spending} AS k (id, account_id, api_key_id, month, spent_nanousd) "
    "SELECT key_limit, account, api_key, month, -amount FROM months ORDER BY key_limit "
    "ON CONFLICT (id) DO UPDATE SET spent_nanousd = k.spent_nanousd + excluded.spent_nanousd), "
    "below AS (SELECT limit_id, sum(amount)::bigint AS amount FROM (SELECT key_limit AS limit_id, amount FROM months "
    "UNION ALL SELECT account_limit, amount FROM months) AS both_of GROUP BY limit_id), "
    "room AS (UPDATE {room} AS r SET remaining_nanousd = r.remaining_nanousd + below.amount FROM below "
    "WHERE r.process_id = %(process)s AND r.limit_id = below.limit_id RETURNING r.limit_id, r.remaining_nanousd), "
)
_ROOM: Final = sql.SQL(" UNION ALL SELECT false, limit_id, remaining_nanousd FROM room")


def charging(deployment: Deployment, database: Database) -> bytes:
    """The statement. It gives what leases of the process have left: whether of an account, the id, nanodollars.

    Its parameters are `entries` and `tallies`, JSON arrays, `late`, ids of entries, and `process`. Raises
    UnfilledColumnError.
    """
    limited = has_spending_limits(deployment)
    parts = (_CHARGED, *((_COUNTED,) if limited else ()), _LEASED, *((_ROOM,) if limited else ()))
    columns = UsageColumns.of(deployment.record(USAGE))
    names = {
        "read": columns.read,
        "names": columns.names,
        "values": columns.values,
        "usage": database.table(USAGE),
        "ledger": database.table(LEDGER),
        "lease": database.table(CREDIT_LEASE),
        "spending": database.table(KEY_SPENDING),
        "room": database.table(SPENDING_LEASE),
        "charge": sql.Literal(CHARGE),
    }
    return sql.Composed([part.format(**names) for part in parts]).as_bytes()


def tallied(entries: Sequence[Noted]) -> list[Tally]:
    """What entries come to, by key and month."""
    found: dict[tuple[int, int, int, int], Tally] = {}
    for entry in entries:
        at = entry.occurred_at
        if at.tzinfo is not UTC:
            at = at.astimezone(UTC)
        # By integers: the hash of a UUID takes longer than all the rest.
        place = (entry.account.int, entry.api_key.int, at.year, at.month)
        tally = found.get(place)
        if tally is None:
            key_limit, account_limit = limits_of_charge(entry.account, entry.api_key, at)
            tally = Tally(entry.account, entry.api_key, month_of(at), key_limit, account_limit, at, at)
            found[place] = tally
        elif at > tally.last_at:
            tally.last_at = at
        elif at < tally.first_at:
            tally.first_at = at
        tally.records += 1
        tally.cost_nanousd += entry.cost_nanousd
    return list(found.values())
