"""Finds the record of a request for the account it belongs to, and signs its receipt. Nothing new is kept for it."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Final

from crouter.contract.data import Field
from crouter.contract.deployment import Deployment
from crouter.runtime.names import LEDGER, USAGE
from crouter.runtime.proxy.request_id import named_record
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.receipts.claims import COLUMNS, KIND, claims_of
from crouter.runtime.receipts.json_text import compact
from crouter.runtime.receipts.keys import SigningKeys

PURPOSE: Final = "billing"


class Receipts:
    """Receipts of one service, made when they are asked for."""

    def __init__(
        self, deployment: Deployment, reader: PurposeReader, keys: SigningKeys, now: Callable[[], datetime]
    ) -> None:
        self._issuer = deployment.identity.url
        self._reader = reader
        self._keys = keys
        self._now = now
        self._columns = tuple(field.name for field in deployment.record(USAGE).fields if _is_told(field))

    @property
    def key_set(self) -> bytes:
        """The public keys, as a file."""
        return self._keys.published(self._issuer)

    async def receipt(self, name: str, account: uuid.UUID) -> str | None:
        """The receipt of a request in compact form. None if the account has no such record, or not yet.

        `name` is the id of the request, with `.1` after it for the second record of one. Raises DatabaseError.
        """
        record = named_record(name)
        if record is None:
            return None
        row = await self._reader.row(USAGE, self._columns, PURPOSE, key=record, owner=account)
        charge = await self._reader.row(LEDGER, ("amount_nanousd", "price_version"), PURPOSE, key=record, owner=account)
        if row is None or charge is None:
            return None
        claims = claims_of(name, self._issuer, row, -charge["amount_nanousd"], charge["price_version"], self._now())
        return self._keys.sign(compact(claims), KIND)


def _is_told(field: Field) -> bool:
    return field.name in COLUMNS and (not field.personal or PURPOSE in field.purposes)
