"""Hears which keys have changed, so that look-ups forget them."""

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.listening import listen
from crouter.runtime.database.pool import Database
from crouter.runtime.key_lookup import KeyLookup
from crouter.runtime.keys import KEYS_CHANNEL
from crouter.runtime.logs import Log
from crouter.runtime.words import kind_of


async def listen_for_keys(database: Database, lookup: KeyLookup, log: Log) -> None:
    """Keeps `lookup` in step with the database until cancelled. Returns at once where nobody can listen."""
    await listen(database, KEYS_CHANNEL, _KeyListener(lookup, log))


class _KeyListener:
    def __init__(self, lookup: KeyLookup, log: Log) -> None:
        self._lookup = lookup
        self._log = log
        self._told = False

    def began(self) -> None:
        self._lookup.distrust()
        self._lookup.listening = True
        self._told = False

    async def heard(self, payload: str) -> None:
        self._lookup.forget(payload)

    def ended(self, error: DatabaseError | None) -> None:
        self._lookup.listening = False
        if error is not None and not self._told:
            self._told = True
            self._log.warning("key_listener_down", error=kind_of(error))
