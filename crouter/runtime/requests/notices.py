"""Tells people what becomes of their requests, in the transaction in which it does."""

import uuid
from collections.abc import Mapping
from typing import Protocol

from crouter.runtime.database.pool import Connection


class Notices(Protocol):
    """Puts a mail to an account on its way."""

    async def tell(
        self, connection: Connection, account: uuid.UUID, template: str, values: Mapping[str, object]
    ) -> bool:
        """Whether there is such a mail; it is sent once the transaction is committed. Raises the driver's errors."""


class NoNotices:
    """Where no mail is declared: pages and the operator's command tell instead."""

    async def tell(
        self, connection: Connection, account: uuid.UUID, template: str, values: Mapping[str, object]
    ) -> bool:
        return False
