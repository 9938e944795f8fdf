"""A running server: how to reach it, and how it ends."""

import atexit
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from crouter.embedded.folder import SUPERUSER
from crouter.embedded.process import ServerProcess
from crouter.embedded.settings import PORT


class RunningCluster:
    """A server that accepts connections. Leaving its `with` block, or `stop`, ends it.

    If neither happens, the end of the Python process does.
    """

    def __init__(self, process: ServerProcess, socket_dir: Path, held: ExitStack) -> None:
        """`held` ends the process when it is closed, and then gives back what the process used."""
        self._process = process
        self._socket_dir = socket_dir
        self._held = held
        self._owner_pid = os.getpid()
        atexit.register(self._stop_at_exit)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """False after `stop`, and after the server ended by itself."""
        return self._process.status is None

    def dsn(self, database: str = "postgres") -> str:
        """The URI of a database for libpq, psql and psycopg. It holds no password.

        Who can open the socket's folder, this user and root, is the database's superuser.
        """
        return dsn(self._socket_dir, database)

    def ensure_database(self, name: str) -> str:
        """Create the database unless it exists; returns its URI."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,))
            if found.fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.dsn(name)

    def stop(self) -> None:
        """End all connections, shut down cleanly, release the folder. Can be called again.

        Blocks, usually for some hundredths of a second. TimeoutError if not even SIGKILL helps.
        """
        atexit.unregister(self._stop_at_exit)
        self._held.close()

    def _stop_at_exit(self) -> None:
        # A forked child inherits this hook, but not the server.
        if os.getpid() == self._owner_pid:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def dsn(socket_dir: Path, database: str) -> str:
    """The URI of `database` on the server whose socket is in `socket_dir`."""
    # The port is stated, because libpq would take another one from the environment.
    place = urlencode({"host": str(socket_dir), "port": PORT}, quote_via=quote, safe="")
    return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?{place}"
