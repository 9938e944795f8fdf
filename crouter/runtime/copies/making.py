"""Makes one copy: reads everything in one snapshot, writes sealed pieces, shows how far it is.

Runs in a thread of its own, with two connections: one holds the snapshot, the other writes pieces as they come. Killed
at any moment it leaves pieces that nothing opens; the copy is then begun anew under another id.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO, Final, LiteralString, cast

import psycopg
from psycopg import Connection, IsolationLevel, sql

from crouter.contract.deployment import Deployment
from crouter.runtime.copies.archive import Copy, write_archive
from crouter.runtime.copies.contents import CopiedRecord, copied_records, left_out, whose
from crouter.runtime.copies.pieces import Piece, PieceWriter, new_opener, opener_place
from crouter.runtime.database.errors import translated
from crouter.runtime.database.pool import CONNECT_SECONDS, SERVICE_ROLE
from crouter.runtime.names import COPY_PIECE, DATA_COPY
from crouter.runtime.sealing import Sealer
from crouter.runtime.settings import StoreSettings

ROWS_TOGETHER: Final = 2000
STATEMENT_SECONDS: Final = 600


class CopyEndedError(Exception):
    """The copy is not to be finished: its account is being deleted, or the process was asked to stop."""


def make_copy(
    store: StoreSettings, deployment: Deployment, copy: uuid.UUID, account: uuid.UUID, stopped: Callable[[], bool]
) -> int:
    """Make the copy, whose row says `making`, up to the last piece; gives the bytes of the file.

    Raises CopyEndedError, DatabaseError.
    """
    with translated(), _session(store) as snapshot, _session(store) as writing:
        with snapshot.transaction(), writing.transaction():
            _act(snapshot)
            _act(writing)
        return _Making(store, deployment, copy, account, stopped, snapshot, writing).make()


class _Making:
    def __init__(
        self,
        store: StoreSettings,
        deployment: Deployment,
        copy: uuid.UUID,
        account: uuid.UUID,
        stopped: Callable[[], bool],
        snapshot: Connection[tuple[Any, ...]],
        writing: Connection[tuple[Any, ...]],
    ) -> None:
        self._deployment = deployment
        self._copy, self._account, self._stopped = copy, account, stopped
        self._snapshot, self._writing = snapshot, writing
        self._sealer = Sealer(store.sealing)
        self._records = copied_records(deployment)
        self._now = datetime.now(UTC)
        self._seen = 0
        self._piece = sql.SQL(
            "INSERT INTO {} (id, account_id, copy_id, number, part, made_at) "
            "SELECT %s, c.account_id, c.id, %s, %s, c.made_at FROM {} AS c WHERE c.id = %s"
        ).format(self._table(COPY_PIECE), self._table(DATA_COPY))

    def make(self) -> int:
        opener = new_opener()
        writer = PieceWriter(opener, self._keep)
        self._snapshot.isolation_level = IsolationLevel.REPEATABLE_READ
        self._snapshot.read_only = True
        with self._snapshot.transaction():
            _act(self._snapshot)
            total = sum(self._count(copied) for copied in self._records)
            forms = sum(name in self._deployment.requests.formats for name in ("json", "csv")) or 1
            self._tell(
                "opener = %s, rows_total = %s", self._sealer.seal(opener, opener_place(self._copy)), total * forms
            )
            identity = self._deployment.identity
            what = Copy(
                service=identity.name,
                contact=identity.contact,
                made_at=self._now,
                records=self._records,
                left_out=left_out(self._deployment),
                formats=self._deployment.requests.formats,
            )
            write_archive(cast("BinaryIO", writer), what, self._rows, self._count_rows)
        writer.finish()
        self._tell("rows_done = %s", self._seen)
        return writer.size

    def _rows(self, copied: CopiedRecord) -> Iterator[tuple[Any, ...]]:
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
            sql.SQL(", ").join(sql.Identifier(field.name) for field in copied.columns),
            self._table(copied.name),
            whose(self._deployment, copied.record),
            sql.SQL(", ").join(map(sql.Identifier, copied.order)),
        )
        with self._snapshot.cursor(name="copied") as cursor:
            cursor.itersize = ROWS_TOGETHER
            cursor.execute(query, (self._account,))
            yield from cursor

    def _count(self, copied: CopiedRecord) -> int:
        query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
            self._table(copied.name), whose(self._deployment, copied.record)
        )
        row = self._snapshot.execute(query, (self._account,)).fetchone()
        assert row is not None
        return int(row[0])

    def _count_rows(self, rows: int) -> None:
        self._seen += rows
        if self._seen % (5 * ROWS_TOGETHER) == 0:
            self._tell("rows_done = %s", self._seen)

    def _keep(self, pieces: list[Piece]) -> None:
        if self._stopped():
            raise CopyEndedError
        values = [(piece, number, sealed, self._copy) for piece, number, sealed in pieces]
        with self._writing.transaction(), self._writing.cursor() as cursor:
            _act(self._writing)
            cursor.executemany(self._piece, values)

    def _tell(self, change: LiteralString, *values: object) -> None:
        """How far it is; also finds out whether it is still wanted."""
        if self._stopped():
            raise CopyEndedError
        query = sql.SQL("UPDATE {} SET ").format(self._table(DATA_COPY)) + sql.SQL(
            f"{change}, worked_at = clock_timestamp() WHERE id = %s AND state = 'making'"
        )
        with self._writing.transaction():
            _act(self._writing)
            if self._writing.execute(query, (*values, self._copy)).rowcount != 1:
                raise CopyEndedError

    def _table(self, name: str) -> sql.Identifier:
        return sql.Identifier(self._deployment.database_schema, name)


@contextmanager
def _session(store: StoreSettings) -> Iterator[Connection[tuple[Any, ...]]]:
    connect = partial(psycopg.connect, connect_timeout=CONNECT_SECONDS, application_name="crouter copies")
    with connect(
        store.database_url.reveal(), autocommit=True, prepare_threshold=None if store.transaction_pooler else 5
    ) as connection:
        yield connection


def _act(connection: Connection[tuple[Any, ...]]) -> None:
    """As the service, for this transaction: a transaction pooler keeps nothing beyond it."""
    settings = (
        sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(SERVICE_ROLE)),
        sql.SQL("SET LOCAL TIME ZONE 'UTC'"),
        sql.SQL("SET LOCAL statement_timeout TO {}").format(sql.Literal(f"{STATEMENT_SECONDS}s")),
    )
    connection.execute(sql.SQL("; ").join(settings))
