"""Seals and hashes every API key anew with the newest master keys, while services go on answering with both.

A service finds a key under each look-up key of its ring and opens it with each sealing key. So the order is: a new key
in front of the old ones everywhere, then this, then the old ones out. It may be stopped anywhere and run again: what is
in step is not looked at twice, and each batch is a transaction.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.keys import SEALED_FIELD, place_of, tell_of_key
from crouter.runtime.names import API_KEY
from crouter.runtime.purposes import require_purpose
from crouter.runtime.sealing import KeyedHasher, Sealer
from crouter.runtime.settings import StoreSettings

BATCH: Final = 200
_VERSION_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a run did. `behind` is how many keys were not in step when it began."""

    changed: int
    behind: int


class MasterKeys:
    """The keys of all accounts, as the master keys see them."""

    def __init__(self, deployment: Deployment, database: Database, settings: StoreSettings) -> None:
        """Raises PurposeRefusedError when the policy does not declare sealed keys for authentication."""
        require_purpose(deployment.record(API_KEY), (SEALED_FIELD,), "authentication")
        self._database = database
        self._table = database.table(API_KEY)
        self._sealer = Sealer(settings.sealing)
        self._hasher = KeyedHasher(settings.lookup)
        newest = settings.sealing.newest.version.to_bytes(_VERSION_BYTES, "big")
        self._behind = sql.SQL("(substring(sealed FROM 1 FOR {}) <> {} OR lookup_version <> {})").format(
            sql.Literal(_VERSION_BYTES), sql.Literal(newest), sql.Literal(settings.lookup.newest.version)
        )

    async def behind(self) -> int:
        """How many keys are sealed or hashed with an older master key. Raises DatabaseError."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(self._table, self._behind)
        rows = await self._database.rows(query)
        return int(rows[0][0])

    async def renew(self, done: Callable[[int, int], None] = lambda _, __: None) -> Renewal:
        """Brings every key in step. `done` is told how many are, of how many, after each batch.

        Raises SealError, DatabaseError.
        """
        behind = await self.behind()
        changed, after = 0, uuid.UUID(int=0)
        while (last := await self._batch(after)) is not None:
            renewed, after = last
            changed += renewed
            done(changed, max(behind, changed))
        return Renewal(changed, behind)

    async def _batch(self, after: uuid.UUID) -> tuple[int, uuid.UUID] | None:
        query = sql.SQL("SELECT id, sealed FROM {} WHERE id > %s AND {} ORDER BY id LIMIT %s FOR UPDATE").format(
            self._table, self._behind
        )
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query, (after, BATCH))).fetchall()
            for key, sealed in rows:
                await self._renew(connection, key, bytes(sealed))
        return (len(rows), rows[-1][0]) if rows else None

    async def _renew(self, connection: Connection, key: uuid.UUID, sealed: bytes) -> None:
        plain = self._sealer.open(sealed, place_of(key))
        lookup = self._hasher.newest(plain.decode())
        query = sql.SQL("UPDATE {} SET sealed = %s, lookup = %s, lookup_version = %s WHERE id = %s").format(self._table)
        values = (self._sealer.seal(plain, place_of(key)), lookup.digest, lookup.version, key)
        await connection.execute(query, values)
        await tell_of_key(connection, key)
