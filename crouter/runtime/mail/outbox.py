"""Puts mails into the outbox, inside the transaction of what they tell of: both happen or neither.

A row names an account, a template and its values. It holds no address and no text. Delivery is `delivery.py`.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, sql

from crouter.contract.deployment import Deployment
from crouter.contract.mail import MailTemplate
from crouter.runtime.jobs.wake import wake
from crouter.runtime.mail.values import MailRefusedError, encoded
from crouter.runtime.names import OUTBOX

DELIVERY: Final = "mail"
"""The name of the job that sends."""


class Outbox:
    """The outbox of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._mail = deployment.mail
        self._table = sql.Identifier(deployment.database_schema, OUTBOX)

    async def enqueue(
        self,
        connection: AsyncConnection[Any],
        account: uuid.UUID,
        template: str,
        values: Mapping[str, object],
        *,
        id: uuid.UUID | None = None,  # noqa: A002  the column's name
        not_before: datetime | None = None,
    ) -> uuid.UUID:
        """Put a mail into the outbox, to be sent once the caller's transaction is committed; gives its id.

        With an `id` of the caller's a repeated call puts it there once, as `uuid.uuid5(entry, "receipt")` would for
        the receipt of a ledger entry. `values` are what `encoded` takes. `not_before` is when to send it, at once
        unless it is given. A service whose policy has no mails sends none, and this does nothing.

        Raises MailRefusedError, and the driver's errors.
        """
        if self._mail is None:
            return id or uuid.uuid4()
        words = encoded(self._template(template), values)
        mail = id or uuid.uuid4()
        await connection.execute(_INSERT.format(self._table), (mail, account, template, json.dumps(words), not_before))
        await wake(connection, DELIVERY)
        return mail

    async def enqueue_for_all(
        self,
        connection: AsyncConnection[Any],
        mails: Iterable[tuple[uuid.UUID, uuid.UUID]],
        template: str,
        values: Mapping[str, object],
    ) -> int:
        """The same mail for many: pairs of mail id and account. Gives how many were not there already.

        A service whose policy has no mails sends none. Raises MailRefusedError, and the driver's errors.
        """
        if self._mail is None:
            return 0
        words = json.dumps(encoded(self._template(template), values))
        pairs = [[str(mail), str(account)] for mail, account in mails]
        cursor = await connection.execute(_INSERT_MANY.format(self._table), (template, words, json.dumps(pairs)))
        await wake(connection, DELIVERY)
        return cursor.rowcount

    async def is_waiting(self, connection: AsyncConnection[Any], account: uuid.UUID) -> bool:
        """Whether a mail to that account is still to be sent. Raises the driver's errors."""
        if self._mail is None:
            return False
        cursor = await connection.execute(_WAITING.format(self._table), (account,))
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    def _template(self, name: str) -> MailTemplate:
        assert self._mail is not None
        try:
            return self._mail.template(name)
        except KeyError:
            raise MailRefusedError(f"policy.yaml declares no mail {name}") from None


_INSERT: Final = sql.SQL(
    'INSERT INTO {} (id, account_id, template, "values", created_at, state, attempts, next_at) '
    "VALUES (%s, %s, %s, %s::jsonb, now(), 'waiting', 0, coalesce(%s, now())) ON CONFLICT (id) DO NOTHING"
)
_INSERT_MANY: Final = sql.SQL(
    'INSERT INTO {} (id, account_id, template, "values", created_at, state, attempts, next_at) '
    "SELECT (pair->>0)::uuid, (pair->>1)::uuid, %s, %s::jsonb, now(), 'waiting', 0, now() "
    "FROM jsonb_array_elements(%s::jsonb) AS pair ON CONFLICT (id) DO NOTHING"
)
_WAITING: Final = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE account_id = %s AND state = 'waiting')")
