"""The database away: valid keys never see 401, nothing ends quietly without its record, nothing is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg
import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.journal.disk import Disk
from crouter.simulator import Scripted
from tests.behaviour.service import Service, message, serving
from tests.behaviour.test_full_disk import no_space


class Outage:
    """Makes one database unreachable: no new connections, and the existing ones end."""

    def __init__(self, cluster: RunningCluster, dsn: str) -> None:
        self._admin = cluster.dsn()
        with psycopg.connect(dsn) as connection:
            self._name = connection.info.dbname

    def begin(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{self._name}" CONNECTION LIMIT 0')
            # A superuser is not bound by the limit; what it calls for is a database of another name.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._name,)
            )
            connection.execute(f'ALTER DATABASE "{self._name}" RENAME TO "{self._name}_away"')

    def end(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{self._name}_away" RENAME TO "{self._name}"')


@pytest.fixture
def outage(cluster: RunningCluster, dsn: str) -> Outage:
    return Outage(cluster, dsn)


@pytest_asyncio.fixture
async def known(service: Service) -> AsyncIterator[Service]:
    """A service that has answered once, so that it knows the key."""
    assert (await post(service, stream=False))[0] == 200
    yield service


async def post(service: Service, *, stream: bool, key: str | None = None) -> tuple[int, bytes]:
    headers = service.headers() if key is None else {"x-api-key": key}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(stream=stream), headers=headers) as answer,
    ):
        return answer.status, await answer.read()


async def test_an_unknown_but_well_formed_key_gets_503_and_never_401(service: Service, outage: Outage) -> None:
    outage.begin()
    try:
        async with asyncio.timeout(8):
            status, body = await post(service, stream=False)
    finally:
        outage.end()
    assert (status, json.loads(body)["error"]["type"]) == (503, "api_error")


@pytest.mark.parametrize("stream", [True, False])
async def test_known_customers_are_answered_while_the_database_is_away_and_nothing_is_lost(
    known: Service, outage: Outage, stream: bool
) -> None:
    outage.begin()
    try:
        for _ in range(3):
            status, body = await post(known, stream=stream)
            assert status == 200
            assert not stream or b"event: message_stop" in body
    finally:
        outage.end()
    assert len(await known.settled("usage")) == 4
    assert len([row for row in known.rows("ledger") if row["kind"] == "charge"]) == 4
    (lease,) = known.rows("credit_lease")
    credit = known.running.parts.credit
    assert lease["remaining_nanousd"] == credit.leases[known.account.int].granted


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_no_journal_and_no_database_takes_does_not_end_quietly_and_is_recorded_later(
    known: Service, outage: Outage, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.running.parts.settling.answer_waits_seconds = 0.5
    outage.begin()
    # The disk fills up between admission and the end of the answer.
    monkeypatch.setattr(Disk, "write", no_space)
    try:
        status, body = await post(known, stream=stream)
    finally:
        monkeypatch.undo()
        outage.end()
    assert b"message_stop" not in body
    # A stream that came in one piece has not begun: nothing of it had to leave before its end.
    assert status == 503 or (stream and b"event: error" in body)
    assert len(await known.settled("usage")) == 2


async def test_stopping_waits_for_the_answer_and_its_record(deployment: Deployment, dsn: str, generated: Path) -> None:
    async with serving(deployment, dsn, generated) as service:
        service.simulator.script(next=Scripted.message_stream("words " * 5, delay_s=0.1))
        request = asyncio.create_task(post(service, stream=True))
        await asyncio.sleep(0.3)
    status, body = await request
    assert status == 200
    assert b"event: message_stop" in body
    assert len(service.rows("usage")) == 1
