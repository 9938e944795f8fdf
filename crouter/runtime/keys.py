"""API keys: made, listed, named, rotated, revoked and opened.

The database holds a keyed hash to find a key by and the key itself under authenticated encryption. The key in clear
text is given once, to whoever made it. How many may be active is the policy's; the database holds to it as well,
because each active key takes one of the account's slots, and a slot can be taken once. Looking keys up for requests is
`crouter.runtime.key_lookup`, sealing them anew `crouter.runtime.master_keys`.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import NoSuchAccountError, is_live
from crouter.runtime.database.errors import DatabaseRefusedError
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, API_KEY
from crouter.runtime.proxy.authentication import ApiKey, ApiKeyFormat
from crouter.runtime.purposes import require_purpose
from crouter.runtime.sealing import KeyedHasher, Place, Sealer
from crouter.runtime.settings import StoreSettings
from crouter.runtime.spending.months import NOBODY, SPENDING_CHANNEL, limit_id

KEYS_CHANNEL: Final = "crouter_api_key"
SEALED_FIELD: Final = "sealed"
LABEL_CHARS_MAX: Final = 60
_SLOT: Final = "slot"
_UNIQUE_VIOLATION: Final = "23505"


class KeyLimitError(Exception):
    """The account has as many active keys as it may."""


class NoSuchKeyError(Exception):
    """There is no active key with that id, or none of that account."""


class KeyLabelError(ValueError):
    """The text is no name for a key; the message says why, without it."""


class GraceTooLongError(ValueError):
    """A rotated key would go on working for longer than the policy says."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `key` is shown to its owner and then forgotten. `ending` is the end of those before."""

    id: uuid.UUID
    account: uuid.UUID
    key: ApiKey
    ending: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """What its owner may see of a key. `revoked_at` may lie ahead, while a rotation's grace runs."""

    id: uuid.UUID
    last_four: str
    created_at: datetime
    revoked_at: datetime | None
    label: str | None = None
    last_used_on: date | None = None
    month_limit_nanousd: int | None = None

    @property
    def shown(self) -> str:
        """The beginning that all keys have, and the last four characters."""
        return f"{ApiKeyFormat.PREFIX}…{self.last_four}"

    def is_active(self, now: datetime) -> bool:
        """Whether it works now: never revoked, or its grace still runs."""
        return self.revoked_at is None or self.revoked_at > now


class Outbox(Protocol):
    """Takes a mail in the transaction of what it tells about."""

    async def enqueue(
        self, connection: Connection, account: uuid.UUID, template: str, values: Mapping[str, Any]
    ) -> object: ...


class KeyStore:
    """The keys of all accounts. Every change is told to running services by NOTIFY, in its own transaction.

    With an `outbox` the owner is told by mail of every key that is made or revoked.
    """

    def __init__(
        self, deployment: Deployment, database: Database, settings: StoreSettings, outbox: Outbox | None = None
    ) -> None:
        self._record = deployment.record(API_KEY)
        self._database = database
        self._table = database.table(API_KEY)
        self._sealer = Sealer(settings.sealing)
        self._hasher = KeyedHasher(settings.lookup)
        self._format = ApiKeyFormat()
        self._outbox = outbox
        self.active_max = deployment.security.keys_active_max
        self.grace = timedelta(seconds=deployment.security.key_grace_seconds)
        """How long a rotated key goes on working, as the policy says."""
        self._live_account = sql.SQL("SELECT 1 FROM {} a WHERE a.id = %s AND {}").format(
            database.table(ACCOUNT), is_live(deployment, "a")
        )
        declared = frozenset(self._record.field_names)
        self._has_slots = _SLOT in declared
        self._optional = tuple(n for n in ("label", "last_used_on", "month_limit_nanousd") if n in declared)

    async def create(self, account: uuid.UUID, *, label: str = "", beside_others: bool = False) -> NewKey:
        """A new key. An account has as many active keys as the policy says, unless `beside_others`.

        Raises KeyLimitError, KeyLabelError, NoSuchAccountError, DatabaseError.
        """
        named = {"label": read_label(label)}
        try:
            async with self._database.transaction() as connection:
                await self._lock_account(connection, account)
                slot = None if beside_others else await self._free_slot(connection, account)
                new = await self._insert(connection, account, slot, named)
                await self._tell(connection, account, "key_created", new)
                return new
        except DatabaseRefusedError as error:
            if error.code == _UNIQUE_VIOLATION:
                raise self._full() from None
            raise

    async def list(self, account: uuid.UUID) -> tuple[ListedKey, ...]:
        """The keys of an account, oldest first, revoked ones included. Raises DatabaseError."""
        columns = ("id", "last_four", "created_at", "revoked_at", *self._optional)
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s ORDER BY created_at, id").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), self._table
        )
        rows = await self._database.rows(query, (account,))
        return tuple(ListedKey(**dict(zip(columns, row, strict=True))) for row in rows)

    async def owner(self, key: uuid.UUID) -> uuid.UUID:
        """The account whose key it is or was. Raises NoSuchKeyError, DatabaseError."""
        async with self._database.transaction() as connection:
            account = await self._owner(connection, key, None)
        if account is None:
            raise NoSuchKeyError("no key has that id")
        return account

    async def rotate(
        self, account: uuid.UUID, grace: timedelta | None = None, *, key: uuid.UUID | None = None
    ) -> NewKey:
        """A new key in the place of `key`, or of all that are active; those end when the grace is over.

        `grace` is the policy's unless it is given, and no longer than that. The new key has the name and the spending
        limit of the one before it. Raises GraceTooLongError, NoSuchKeyError, NoSuchAccountError, DatabaseError.
        """
        grace = self.grace if grace is None else grace
        if grace > self.grace:
            raise GraceTooLongError("the policy says how long a rotated key goes on working; this is longer")
        async with self._database.transaction() as connection:
            await self._lock_account(connection, account)
            active = await self._active(connection, account)
            replaced = [one for one in active if key in (None, one)]
            if key is not None and not replaced:
                raise NoSuchKeyError("no active key of this account has that id")
            inherited = await self._inherited(connection, replaced[0]) if replaced else {}
            ends = datetime.now(UTC) + grace
            for one in replaced:
                await self._revoke(connection, one, ends)
            slot = await self._free_slot(connection, account)
            new = await self._insert(connection, account, slot, inherited)
            if replaced:
                old: dict[str, str | datetime] = {
                    "old_last_four": await self._last_four(connection, replaced[0]),
                    "old_ends": ends,
                }
                await self._tell(connection, account, "key_rotated", new, old)
            else:
                await self._tell(connection, account, "key_created", new)
            return NewKey(new.id, account, new.key, ends if replaced and grace else None)

    async def revoke(self, key: uuid.UUID, *, account: uuid.UUID | None = None) -> None:
        """Ends a key at once, also one whose grace runs. With `account`, only if it is that account's.

        Raises NoSuchKeyError, DatabaseError.
        """
        async with self._database.transaction() as connection:
            owner = await self._owner(connection, key, account)
            if owner is None or not await self._revoke(connection, key, datetime.now(UTC)):
                raise NoSuchKeyError("no active key has that id")
            last_four = await self._last_four(connection, key)
            values: dict[str, str | datetime] = {"last_four": last_four, "at": datetime.now(UTC)}
            await self._mail(connection, owner, "key_revoked", values)

    async def rename(self, key: uuid.UUID, label: str, *, account: uuid.UUID | None = None) -> None:
        """Gives a key another name, or none. Raises KeyLabelError, NoSuchKeyError, DatabaseError."""
        await self._set(key, account, "label", read_label(label))

    async def limit(self, key: uuid.UUID, month_nanousd: int | None, *, account: uuid.UUID | None = None) -> None:
        """Sets what a key may spend in a calendar month, in nanodollars; None is no limit.

        Raises NoSuchKeyError, DatabaseError.
        """
        await self._set(key, account, "month_limit_nanousd", month_nanousd)
        await tell_of_limit(self._database, key)

    async def open(self, key: uuid.UUID) -> ApiKey:
        """The key in clear text. Raises NoSuchKeyError, SealError, DatabaseError."""
        require_purpose(self._record, (SEALED_FIELD,), "authentication")
        query = sql.SQL("SELECT sealed FROM {} WHERE id = %s").format(self._table)
        rows = await self._database.rows(query, (key,))
        if not rows:
            raise NoSuchKeyError("no key has that id")
        return ApiKey(self._sealer.open(bytes(rows[0][0]), place_of(key)).decode())

    async def _lock_account(self, connection: Connection, account: uuid.UUID) -> None:
        # Two commands at once must not make two keys: the lock lasts until the transaction's end.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"api_key {account}",))
        cursor = await connection.execute(self._live_account, (account,))
        if await cursor.fetchone() is None:
            raise NoSuchAccountError("no account has that id")

    async def _active(self, connection: Connection, account: uuid.UUID) -> tuple[uuid.UUID, ...]:
        query = sql.SQL("SELECT id FROM {} WHERE account_id = %s AND revoked_at IS NULL ORDER BY created_at DESC, id")
        cursor = await connection.execute(query.format(self._table), (account,))
        return tuple(row[0] for row in await cursor.fetchall())

    async def _free_slot(self, connection: Connection, account: uuid.UUID) -> uuid.UUID | None:
        """A slot that no active key has; None where the policy declares none. Raises KeyLimitError."""
        if len(await self._active(connection, account)) >= self.active_max:
            raise self._full()
        if not self._has_slots:
            return None
        query = sql.SQL("SELECT slot FROM {} WHERE account_id = %s AND slot IS NOT NULL").format(self._table)
        cursor = await connection.execute(query, (account,))
        taken = {row[0] for row in await cursor.fetchall()}
        slots = (uuid.uuid5(account, f"key {number}") for number in range(self.active_max))
        free = next((slot for slot in slots if slot not in taken), None)
        if free is None:
            raise self._full()
        return free

    def _full(self) -> KeyLimitError:
        keys = "an active key" if self.active_max == 1 else f"{self.active_max} active keys"
        return KeyLimitError(f"the account has {keys}; rotate or revoke one")

    async def _insert(
        self, connection: Connection, account: uuid.UUID, slot: uuid.UUID | None, more: Mapping[str, Any]
    ) -> NewKey:
        new = NewKey(uuid.uuid4(), account, self._format.key(secrets.token_bytes(ApiKeyFormat.SECRET_BYTES)))
        text = new.key.reveal()
        lookup = self._hasher.newest(text)
        row: dict[str, Any] = {
            "id": new.id,
            "account_id": account,
            SEALED_FIELD: self._sealer.seal(text.encode(), place_of(new.id)),
            "lookup": lookup.digest,
            "lookup_version": lookup.version,
            "last_four": text[-4:],
            "created_at": datetime.now(UTC),
            **{name: value for name, value in more.items() if name in self._optional},
        }
        if self._has_slots:
            row[_SLOT] = slot
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            self._table, sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
        )
        await connection.execute(query, tuple(row.values()))
        await tell_of_key(connection, new.id)
        return new

    async def _revoke(self, connection: Connection, key: uuid.UUID, at: datetime) -> bool:
        query = sql.SQL(
            "UPDATE {} SET revoked_at = %s{} WHERE id = %s AND (revoked_at IS NULL OR revoked_at > %s)"
        ).format(self._table, freed_slot(self._record))
        cursor = await connection.execute(query, (at, key, at))
        await tell_of_key(connection, key)
        return cursor.rowcount == 1

    async def _set(self, key: uuid.UUID, account: uuid.UUID | None, column: str, value: object) -> None:
        if column not in self._optional:
            raise NoSuchKeyError("the policy declares no such column of keys")
        query = sql.SQL("UPDATE {} SET {} = %s WHERE id = %s AND (revoked_at IS NULL OR revoked_at > now())").format(
            self._table, sql.Identifier(column)
        )
        async with self._database.transaction() as connection:
            if await self._owner(connection, key, account) is None:
                raise NoSuchKeyError("no active key has that id")
            cursor = await connection.execute(query, (value, key))
            if cursor.rowcount == 0:
                raise NoSuchKeyError("no active key has that id")
            await tell_of_key(connection, key)

    async def _owner(self, connection: Connection, key: uuid.UUID, account: uuid.UUID | None) -> uuid.UUID | None:
        """Whose key it is, and None for nobody's or that of another account."""
        query = sql.SQL("SELECT account_id FROM {} WHERE id = %s").format(self._table)
        row = await (await connection.execute(query, (key,))).fetchone()
        return row[0] if row is not None and account in (None, row[0]) else None

    async def _last_four(self, connection: Connection, key: uuid.UUID) -> str:
        query = sql.SQL("SELECT last_four FROM {} WHERE id = %s").format(self._table)
        row = await (await connection.execute(query, (key,))).fetchone()
        assert row is not None, "keys are not removed while their account lives"
        return str(row[0])

    async def _inherited(self, connection: Connection, key: uuid.UUID) -> dict[str, Any]:
        kept = tuple(name for name in ("label", "month_limit_nanousd") if name in self._optional)
        if not kept:
            return {}
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(
            sql.SQL(", ").join(map(sql.Identifier, kept)), self._table
        )
        row = await (await connection.execute(query, (key,))).fetchone()
        return dict(zip(kept, row, strict=True)) if row is not None else {}

    async def _tell(
        self,
        connection: Connection,
        account: uuid.UUID,
        template: str,
        new: NewKey,
        replaced: Mapping[str, str | datetime] | None = None,
    ) -> None:
        """By mail, of a new key: when it was made, or what it replaces."""
        values = {"last_four": new.key.reveal()[-4:], **(replaced or {"at": datetime.now(UTC)})}
        await self._mail(connection, account, template, values)

    async def _mail(
        self, connection: Connection, account: uuid.UUID, template: str, values: Mapping[str, str | datetime]
    ) -> None:
        if self._outbox is not None:
            await self._outbox.enqueue(connection, account, template, values)


def read_label(text: str) -> str | None:
    """A name for a key, without space around it; None for an empty one. Raises KeyLabelError."""
    label = text.strip()
    if not label:
        return None
    if len(label) > LABEL_CHARS_MAX:
        raise KeyLabelError(f"a key's name has at most {LABEL_CHARS_MAX} characters")
    if not label.isprintable():
        raise KeyLabelError("a key's name is one line of printable characters")
    if ApiKeyFormat.PREFIX in label:
        # Somebody pasted the key itself, which nobody may keep in clear text.
        raise KeyLabelError("a key's name must not hold a key")
    return label


def freed_slot(record: Record) -> sql.SQL:
    """What an UPDATE that ends keys sets beside the time: a slot that an ended key kept would be lost."""
    return sql.SQL(", slot = NULL" if _SLOT in record.field_names else "")


def place_of(key: uuid.UUID) -> Place:
    """Where the sealed form of a key belongs."""
    return Place(API_KEY, SEALED_FIELD, key)


async def tell_of_limit(database: Database, scope: uuid.UUID) -> None:
    """Asks every process for the room that it has leased below a limit that has changed. Raises DatabaseError."""
    async with database.transaction() as connection:
        told = f"{limit_id(scope, datetime.now(UTC))} {NOBODY}"
        await connection.execute("SELECT pg_notify(%s, %s)", (SPENDING_CHANNEL, told))


async def tell_of_key(connection: Connection, key: uuid.UUID) -> None:
    """Tells running services, at the end of the transaction, to look this key up anew."""
    await connection.execute("SELECT pg_notify(%s, %s)", (KEYS_CHANNEL, str(key)))
