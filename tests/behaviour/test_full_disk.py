"""A disk that takes nothing: the database is waited for instead. What is shipped late brings nothing erased back."""

import json
import uuid
from datetime import UTC, datetime

import aiohttp
import psycopg
import pytest

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.quarantine import quarantined
from tests.behaviour.service import Service, message


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


async def test_nothing_is_forwarded_that_no_journal_and_no_database_would_take(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    settling = service.running.parts.settling
    monkeypatch.setattr(type(settling), "has_room", False)
    status, body = await post(service)
    assert (status, json.loads(body)["error"]["type"]) == (503, "api_error")
    assert len(service.simulator.ledger) == 0


async def test_a_refusal_says_what_it_may_cost_and_what_to_do(service: Service) -> None:
    status, body = await post(service, max_tokens=64_000_000)
    error = json.loads(body)["error"]
    assert (status, error["type"]) == (402, "billing_error")
    assert "USD" in error["message"]
    assert "lower max_tokens" in error["message"]
    assert len(service.simulator.ledger) == 0


async def test_late_usage_of_an_erased_account_brings_nothing_back_and_a_poisonous_record_stops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = service.running.parts
    with psycopg.connect(service.dsn, autocommit=True) as connection:
        erased = uuid.uuid4()
        connection.execute(
            "INSERT INTO crouter.account (id, created_at, deletion_requested_at, erased_at) VALUES (%s, %s, %s, %s)",
            (erased, *[datetime.now(UTC)] * 3),
        )
    settled = parts.settling.record
    accounts = iter([service.account, erased, service.account])
    keys = iter([service.key_id, service.key_id, uuid.uuid4()])

    def of_another(settlement: object, hold: object) -> bool:
        object.__setattr__(settlement, "account", next(accounts))
        object.__setattr__(settlement, "api_key", next(keys))
        return settled(settlement, hold)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(type(parts.settling), "record", lambda _, settlement, hold: of_another(settlement, hold))
    for _ in range(3):
        assert (await post(service))[0] == 200
    (row,) = await service.settled("usage")
    assert row["account_id"] == service.account
    assert len(quarantined(parts.settings.journal)) == 1
    assert '"records_set_aside"' in service.out.getvalue()
