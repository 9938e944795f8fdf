"""What the keys of an account have spent in the month that is under way, as far as it is in the ledger."""

import uuid
from datetime import datetime

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import KEY_SPENDING
from crouter.runtime.spending.months import month_of
from crouter.runtime.spending.store import has_spending_limits


class SpendingFigures:
    """Reads monthly sums. Nothing where the policy declares none."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._is_declared = has_spending_limits(deployment)
        self._database = database
        self._query = sql.SQL("SELECT api_key_id, spent_nanousd FROM {} WHERE account_id = %s AND month = %s").format(
            database.table(KEY_SPENDING)
        )

    async def of(self, account: uuid.UUID, at: datetime) -> dict[uuid.UUID, int]:
        """Nanodollars in the month of `at`, by key. Raises DatabaseError."""
        if not self._is_declared:
            return {}
        return dict(await self._database.rows(self._query, (account, month_of(at))))
