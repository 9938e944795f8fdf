"""A disk that takes nothing: the database is waited for instead. What is shipped late brings nothing erased back."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import psycopg
import pytest

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.quarantine import quarantined
from tests.behaviour.service import Service, message
from tests.unit.runtime.test_usage import SETTLEMENT


async def post(service: Service, **body: object) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(**body), headers=service.headers()) as answer,  # type: ignore[arg-type]  # of the tests below
    ):
        return answer.status, await answer.read()


def no_space(*_: object) -> None:
    raise OSError(28, "no space left on device")


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_no_journal_takes_is_in_the_database_before_its_end_leaves(
    service: Service, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "write", no_space)
    monkeypatch.setattr(Disk, "create", no_space)
    for count in (1, 2, 3):
        status, body = await post(service, stream=stream)
        assert status == 200
        assert b"event: error" not in body
        assert len(service.rows("usage")) == count
    assert service.running.parts.credit.holds.open == 0
    monkeypatch.undo()
    # The journal takes records again as soon as there is room.
    assert (await post(service, stream=stream))[0] == 200


async def test_nothing_is_forwarded_that_no_journal_and_no_database_would_take(service: Service) -> None:
    holds = service.running.parts.credit.holds
    assert (await post(service))[0] == 200
    forwarded = len(service.simulator.ledger)
    # So many requests are under way that their records fill the journal, and more.
    holds.open += 1_000_000
    status, body = await post(service)
    holds.open -= 1_000_000
    assert (status, json.loads(body)["error"]["type"]) == (503, "api_error")
    assert len(service.simulator.ledger) == forwarded
    assert (await post(service))[0] == 200


async def test_a_refusal_says_what_it_may_cost_and_what_to_do(service: Service) -> None:
    status, body = await post(service, max_tokens=64_000_000)
    error = json.loads(body)["error"]
    assert (status, error["type"]) == (402, "billing_error")
    assert "USD" in error["message"]
    assert "lower max_tokens" in error["message"]
    assert len(service.simulator.ledger) == 0


async def test_late_usage_of_an_erased_account_brings_nothing_back_and_a_poisonous_record_stops_no_other(
    service: Service,
) -> None:
    parts = service.running.parts
    with psycopg.connect(service.dsn, autocommit=True) as connection:
        erased = uuid.uuid4()
        connection.execute(
            "INSERT INTO crouter.account (id, created_at, deletion_requested_at, erased_at) VALUES (%s, %s, %s, %s)",
            (erased, *[datetime.now(UTC)] * 3),
        )
    # Whose they are, and with which key; the last one is of a key that no table has.
    for account, key in ((service.account, service.key_id), (erased, service.key_id), (service.account, uuid.uuid4())):
        hold = await parts.credit.reserve(service.account, SETTLEMENT.charge.cost_nanousd)
        assert hold is not None
        late = replace(SETTLEMENT, id=uuid.uuid4(), account=account, api_key=key, occurred_at=datetime.now(UTC))
        assert parts.settling.record(late, hold)
    (row,) = await service.settled("usage")
    assert row["account_id"] == service.account
    assert len(quarantined(parts.settings.journal)) == 1
    assert '"records_set_aside"' in service.out.getvalue()
