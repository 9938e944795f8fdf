"""Finds whose a presented key is, in a bounded cache in front of the database.

The cache is keyed by the full keyed hash, never by the key. A change is told by NOTIFY and takes effect at once.
How long a revoked key can live is declared here:

- notifications arrive: at once, and at most `LISTENING_SECONDS` if one is lost
- no notifications (listener down, or a transaction pooler): at most `FRESH_SECONDS`
- the database is away: known keys stay valid for `AWAY_SECONDS`, then the answer is 503, never 401
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.traffic import Limits
from crouter.runtime.account_limits import LIMIT_NAMES, MONTH_LIMIT, limits_over
from crouter.runtime.accounts import is_live
from crouter.runtime.database.errors import DatabaseAwayError
from crouter.runtime.database.pool import Database
from crouter.runtime.names import ACCOUNT, ACCOUNT_LIMITS, API_KEY
from crouter.runtime.proxy.authentication import ApiKey, ApiKeyFormat
from crouter.runtime.sealing import KeyedHash, KeyedHasher

LISTENING_SECONDS: Final = 60.0
FRESH_SECONDS: Final = 10.0
AWAY_SECONDS: Final = 60.0
NEGATIVE_SECONDS: Final = 5.0
# Between two questions about one key to a database that is away, so that not every request waits for it.
ASK_AGAIN_SECONDS: Final = 2.0
ENTRIES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is. `ends_at` is set while a rotation's grace runs.

    `limits` are set where the account has some of its own. The others are nanodollars that the key and the account
    may spend in a calendar month; None is no limit.
    """

    key: uuid.UUID
    account: uuid.UUID
    ends_at: datetime | None
    limits: Limits | None = None
    key_month_nanousd: int | None = None
    account_month_nanousd: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is a spending limit."""
        return self.key_month_nanousd is not None or self.account_month_nanousd is not None


class KeySource(Protocol):
    """Where keys are looked up when the cache does not know. Raises DatabaseError."""

    async def find(self, hashes: tuple[KeyedHash, ...]) -> Caller | None: ...


class StoredKeys:
    """The key source that is the database."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._declared = deployment.proxy.limits
        has_limits = any(record.name == ACCOUNT_LIMITS for record in deployment.records)
        has_key_limit = MONTH_LIMIT in deployment.record(API_KEY).field_names
        own = (*(sql.Identifier("l", name) for name in LIMIT_NAMES), sql.Identifier("l", MONTH_LIMIT))
        self._query = sql.SQL(
            "SELECT k.id, k.account_id, k.revoked_at, {key_limit}{own} FROM {keys} k"
            " JOIN {accounts} a ON a.id = k.account_id{limits}"
            " WHERE k.lookup = ANY(%s) AND (k.revoked_at IS NULL OR k.revoked_at > now()) AND {is_live}"
        ).format(
            key_limit=sql.Identifier("k", MONTH_LIMIT) if has_key_limit else sql.SQL("NULL"),
            own=sql.SQL("").join(sql.SQL(", ") + name for name in own) if has_limits else sql.SQL(""),
            limits=sql.SQL(" LEFT JOIN {} l ON l.account_id = k.account_id").format(database.table(ACCOUNT_LIMITS))
            if has_limits
            else sql.SQL(""),
            keys=database.table(API_KEY),
            accounts=database.table(ACCOUNT),
            is_live=is_live(deployment, "a"),
        )

    async def find(self, hashes: tuple[KeyedHash, ...]) -> Caller | None:
        """The caller with one of these hashes, if the key was not revoked and its account is alive."""
        rows = await self._database.rows(self._query, ([lookup.digest for lookup in hashes],))
        if not rows:
            return None
        key, account, ends_at, key_month, *own = rows[0]
        told = dict(zip(LIMIT_NAMES, own[:-1], strict=True)) if own else {}
        limits = limits_over(self._declared, told) if any(told.values()) else None
        return Caller(key, account, ends_at, limits, key_month, own[-1] if own else None)


@dataclass(slots=True)
class _Entry:
    caller: Caller | None
    confirmed: float
    trusted: bool = True
    ask_again_at: float = 0.0


class KeyLookup:
    """Answers whose a key is. `clock` is monotonic, `now` tells the time of day, both in seconds or UTC."""

    def __init__(
        self,
        source: KeySource,
        hasher: KeyedHasher,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        entries_max: int = ENTRIES_MAX,
    ) -> None:
        self._source = source
        self._hasher = hasher
        self._clock = clock
        self._now = now
        self._entries_max = entries_max
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._format = ApiKeyFormat()
        self._generation = 0
        self.listening = False

    def known(self, key: ApiKey) -> Caller | None:
        """Whose key this is, if that was confirmed lately; None says nothing: ask `caller`."""
        entry = self._entries.get(self._hasher.newest_digest(key.reveal()))
        if entry is None or not self._is_fresh(entry):
            return None
        caller = entry.caller
        if caller is None or (caller.ends_at is not None and caller.ends_at <= self._now()):
            return None
        return caller

    async def caller(self, key: ApiKey) -> Caller | None:
        """Whose key this is, None if nobody's. Raises DatabaseError when that cannot be known."""
        if not self._format.accepts(key):
            return None
        hashes = self._hasher.all(key.reveal())
        entry = self._entries.get(hashes[0].digest)
        if entry is None or not self._is_fresh(entry):
            entry = await self._ask(hashes, entry)
        caller = entry.caller
        if caller is not None and caller.ends_at is not None and caller.ends_at <= self._now():
            return None
        return caller

    def forget(self, key: str) -> None:
        """A key was made, changed or revoked: its entry and all negative ones are worth nothing now."""
        self._generation += 1
        for digest, entry in list(self._entries.items()):
            if entry.caller is None or str(entry.caller.key) == key:
                del self._entries[digest]

    def distrust(self) -> None:
        """Notifications may have been missed: every entry has to be confirmed before it is used again."""
        self._generation += 1
        for digest, entry in list(self._entries.items()):
            if entry.caller is None:
                del self._entries[digest]
            else:
                # Still good while the database is away, no longer fresh.
                entry.trusted = False

    async def _ask(self, hashes: tuple[KeyedHash, ...], known: _Entry | None) -> _Entry:
        digest, asked, generation = hashes[0].digest, self._clock(), self._generation
        try:
            caller = await self._source.find(hashes)
        except DatabaseAwayError:
            if known is None or known.caller is None or asked - known.confirmed >= AWAY_SECONDS:
                raise
            known.ask_again_at = self._clock() + ASK_AGAIN_SECONDS
            return known
        # An answer that was under way when something changed may be the old one: it is asked for again.
        entry = _Entry(caller, asked, trusted=generation == self._generation)
        self._entries[digest] = entry
        self._entries.move_to_end(digest)
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
        return entry

    def _is_fresh(self, entry: _Entry) -> bool:
        now = self._clock()
        age = now - entry.confirmed
        if now < entry.ask_again_at and age < AWAY_SECONDS:
            return True
        if not entry.trusted:
            return False
        if entry.caller is None:
            return age < NEGATIVE_SECONDS
        return age < (LISTENING_SECONDS if self.listening else FRESH_SECONDS)
