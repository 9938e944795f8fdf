"""Notes the day on which a key was last used, with the usage that is shipped: once a day for each key, never a time."""

import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import API_KEY
from crouter.runtime.tally import Tally

KNOWN_MAX: Final = 20_000
_COLUMN: Final = "last_used_on"
_UPDATE: Final = sql.SQL(
    "UPDATE {keys} AS k SET last_used_on = new.day FROM (SELECT n.id, n.day FROM unnest(%s::uuid[], %s::date[])"
    " AS n (id, day) JOIN {keys} AS own ON own.id = n.id ORDER BY n.id FOR UPDATE OF own) AS new "
    "WHERE k.id = new.id AND (k.last_used_on IS NULL OR k.last_used_on < new.day)"
)


class DaysOfUse:
    """Writes days that are later than those that this process has written. Nothing where the policy declares none."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        keys = (record for record in deployment.records if record.name == API_KEY)
        self._is_declared = any(_COLUMN in record.field_names for record in keys)
        self._known: OrderedDict[uuid.UUID, date] = OrderedDict()
        self._update = _UPDATE.format(keys=database.table(API_KEY)).as_bytes()

    def new(self, tallies: Sequence[Tally]) -> dict[uuid.UUID, date]:
        """Days that are later than those that are known, by key."""
        found: dict[uuid.UUID, date] = {}
        for tally in tallies if self._is_declared else ():
            day = tally.last_at.date()
            known = self._known.get(tally.api_key)
            if known is None or known < day:
                found[tally.api_key] = max(day, found.get(tally.api_key, day))
        return found

    async def write(self, connection: Connection, days: Mapping[uuid.UUID, date]) -> None:
        """Writes new days in the transaction of the usage."""
        if days:
            await connection.execute(self._update, (list(days), list(days.values())))

    def written(self, days: Mapping[uuid.UUID, date]) -> None:
        """The transaction has been committed: these days need not be written again."""
        for key, day in days.items():
            self._known[key] = day
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
