"""Keeps beside each account which version of the policy was in force when it last used the service.

A job off the path of requests: it looks at recent usage, and writes only where the version has become another.
"""

import json
from datetime import date, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.names import ACCOUNT, USAGE
from crouter.runtime.policy_history import read_policy_history
from crouter.runtime.publishing.notice import starts

COLUMN: Final = "policy_version"
# Usage that was shipped late is looked at, too.
LOOK_BACK: Final = timedelta(hours=26)
_NOTE: Final = sql.SQL(
    "UPDATE {accounts} AS a SET {column} = used.version FROM ("
    " SELECT u.account_id, v.version"
    " FROM (SELECT account_id, max(occurred_at) AS last FROM {usage} WHERE occurred_at > %s GROUP BY account_id) u"
    " JOIN LATERAL (SELECT version FROM jsonb_to_recordset(%s::jsonb) AS known (version text, starts timestamptz)"
    " WHERE known.starts <= u.last ORDER BY known.starts DESC LIMIT 1) v ON true"
    ") AS used WHERE used.account_id = a.id AND a.{column} IS DISTINCT FROM used.version"
)


async def _note_last_use(context: JobContext) -> None:
    versions = read_policy_history(context.generated)
    known = [{"version": one.name, "starts": starts(date.fromisoformat(one.effective)).isoformat()} for one in versions]
    database = context.database
    query = _NOTE.format(accounts=database.table(ACCOUNT), usage=database.table(USAGE), column=sql.Identifier(COLUMN))
    async with database.transaction() as connection:
        await connection.execute(query, (context.now() - LOOK_BACK, json.dumps(known)))


def _is_kept(deployment: Deployment) -> bool:
    return COLUMN in deployment.record(ACCOUNT).field_names


NOTE_LAST_USE: Final = Job(
    name="last_use", policy_path=f"data.account.{COLUMN}", every=minutes(60), run=_note_last_use, is_needed=_is_kept
)
