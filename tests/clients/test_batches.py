"""Message batches through the `anthropic` SDK: they work as they do without us, and everybody sees their own only."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import anthropic
import psycopg
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.batches import BatchRecords
from crouter.runtime.server import batch_creation
from crouter.simulator import Scripted, Send, Wait
from tests.behaviour.service import Service, serving, until
from tests.clients.batching import PATH, Customer, asked, customer, ended, results
from tests.clients.conftest import GENERATED


async def test_results_are_found_with_us_and_never_at_the_upstreams_address(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    batch = await ended(ada.sdk, made.id)
    assert batch.results_url == f"{service.url}{PATH}/{made.id}/results"
    listed = [one async for one in ada.sdk.messages.batches.list()]
    assert [one.results_url for one in listed] == [batch.results_url]


async def test_a_batch_object_is_the_upstreams_byte_for_byte_but_for_that_address(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    theirs = f'"http://upstream.example/v1/messages/batches/{made.id}/results"'
    body = '{"id" : "%s",\n "made_up":[1, {"x":null}],"results_url":  %s , "type":"message_batch"}\n'
    service.simulator.script(next=Scripted.raw(200, (body % (made.id, theirs)).encode()))
    async with (
        aiohttp.ClientSession(service.url, headers=ada.headers()) as http,
        http.get(f"{PATH}/{made.id}") as answer,
    ):
        ours = f'"{service.url}/v1/messages/batches/{made.id}/results"'
        assert await answer.text() == body % (made.id, ours)


@pytest.mark.claim("collect-batch")
async def test_everybody_sees_their_own_batches_only(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, mary = two
    hers = await ada.sdk.messages.batches.create(requests=[asked("a")])
    await ended(ada.sdk, hers.id)
    other = await mary.sdk.messages.batches.create(requests=[asked("b")])
    assert [batch.id async for batch in ada.sdk.messages.batches.list()] == [hers.id]
    assert [batch.id async for batch in mary.sdk.messages.batches.list()] == [other.id]
    before = len(service.simulator.ledger)
    for use in ("retrieve", "cancel", "delete"):
        with pytest.raises(anthropic.NotFoundError) as caught:
            await getattr(mary.sdk.messages.batches, use)(hers.id)
        assert caught.value.type == "not_found_error"
    async with (
        aiohttp.ClientSession(service.url, headers=mary.headers()) as http,
        http.get(f"{PATH}/{hers.id}/results") as answer,
    ):
        assert answer.status == 404
        assert (await answer.json())["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.NotFoundError):
        await mary.sdk.messages.batches.list(after_id=hers.id)
    assert len(service.simulator.ledger) == before, "the upstream is not asked about somebody else's batch"


async def test_without_the_ownership_check_somebody_else_would_read_the_results(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, mary = two
    hers = await ada.sdk.messages.batches.create(requests=[asked("a", "simulate: echo\nhers alone")])
    await ended(ada.sdk, hers.id)
    find = BatchRecords.find

    async def found_for_anybody(self: BatchRecords, account: uuid.UUID, upstream_id: str) -> Any:
        return await find(self, ada.account, upstream_id)

    monkeypatch.setattr(BatchRecords, "find", found_for_anybody)
    assert await results(mary.sdk, hers.id) == {"a": "succeeded"}


async def test_every_key_of_an_account_sees_its_batches(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    second = await service.keys.rotate(ada.account)
    async with anthropic.AsyncAnthropic(api_key=second.key.reveal(), base_url=service.url, max_retries=0) as sdk:
        assert (await sdk.messages.batches.retrieve(made.id)).id == made.id


async def test_a_batch_that_has_not_ended_cannot_be_deleted_and_can_be_cancelled(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    service.simulator.batches.looks = 1000
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    with pytest.raises(anthropic.BadRequestError):
        await ada.sdk.messages.batches.delete(made.id)
    with pytest.raises(anthropic.AnthropicError, match="finished processing"):
        await results(ada.sdk, made.id)
    assert (await ada.sdk.messages.batches.cancel(made.id)).processing_status == "canceling"
    await ended(ada.sdk, made.id)
    assert await results(ada.sdk, made.id) == {"a": "canceled"}
    assert service.rows("usage") == []


async def test_pages_have_the_cursors_and_the_order_of_the_api(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, mary = two
    ids = []
    for number in range(7):
        await mary.sdk.messages.batches.create(requests=[asked(f"m{number}")])
        ids.append((await ada.sdk.messages.batches.create(requests=[asked(f"a{number}")])).id)
    newest = ids[::-1]
    listing = ada.sdk.messages.batches
    assert [batch.id async for batch in listing.list(limit=3)] == newest
    first = await listing.list(limit=3)
    assert ([b.id for b in first.data], first.has_more, first.first_id, first.last_id) == (
        newest[:3],
        True,
        newest[0],
        newest[2],
    )
    last = await listing.list(limit=3, after_id=newest[4])
    assert ([b.id for b in last.data], last.has_more) == (newest[5:], False)
    before = await listing.list(limit=3, before_id=newest[5])
    assert ([b.id for b in before.data], before.has_more) == (newest[2:5], True)
    most = await listing.list(limit=1000)
    assert [b.id for b in most.data] == newest
    assert (await listing.list(before_id=newest[0])).data == []
    for wrong in ({"limit": 0}, {"limit": 1001}, {"after_id": ids[0], "before_id": ids[1]}):
        with pytest.raises(anthropic.BadRequestError):
            await listing.list(**wrong)


async def test_a_batch_that_the_upstream_forgot_leaves_a_page_that_is_full(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    ids = [(await ada.sdk.messages.batches.create(requests=[asked("a")])).id for _ in range(5)]
    forgotten = service.simulator.batches._batches
    del forgotten[ids[4]], forgotten[ids[2]]
    page = await ada.sdk.messages.batches.list(limit=3)
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[3], ids[1], ids[0]], False)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"custom_id": "secret-name"}, "requests.1.params: Field required"),
        ({"params": {}}, "requests.1.custom_id: must be a string"),
        (asked("secret-name", model="claude-imaginary"), "requests.1.params: model: has no price here"),
        (asked("secret-name", speed="fast"), "requests.1.params: speed: has no price here"),
        (asked("first"), "requests.1.custom_id: is given twice"),
        (
            asked(
                "secret-name",
                messages=[{"role": "user", "content": [{"type": "document", "source": {"file_id": "f"}}]}],
            ),
            "requests.1.params: messages: files are not offered",
        ),
    ],
)
async def test_an_entry_that_is_refused_is_named_by_its_number_alone(
    service: Service, two: tuple[Customer, Customer], entry: Any, said: str
) -> None:
    ada, _ = two
    with pytest.raises(anthropic.BadRequestError) as caught:
        await ada.sdk.messages.batches.create(requests=[asked("first"), entry])
    assert said in str(caught.value)
    assert "secret-name" not in str(caught.value)
    assert len(service.simulator.ledger) == 0
    assert service.rows("batch") == []


async def test_a_client_that_leaves_while_its_batch_is_made_can_find_it_later(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    task = asyncio.create_task(
        ada.sdk.messages.batches.create(requests=[asked(f"r{n}", "x" * 1000) for n in range(200)])
    )
    await until(lambda: len(service.rows("batch")) == 1)
    task.cancel()
    await until(lambda: service.rows("batch")[0]["upstream_id"] is not None)
    assert [batch.id async for batch in ada.sdk.messages.batches.list()] == [service.rows("batch")[0]["upstream_id"]]


async def test_a_batch_whose_owner_cannot_be_written_down_is_cancelled_and_not_handed_out(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = two
    monkeypatch.setattr(batch_creation, "RETRY_SECONDS", ())
    body = b'{"id":"msgbatch_of_nobody","type":"message_batch"}'
    service.simulator.script(next=Scripted(200, (("content-type", "application/json"),), (Wait(1), Send(body))))
    task = asyncio.create_task(ada.sdk.messages.batches.create(requests=[asked("a")]))
    await until(lambda: len(service.rows("batch")) == 1)
    async with await psycopg.AsyncConnection.connect(service.dsn) as away:
        await away.execute("LOCK TABLE crouter.batch IN SHARE MODE")
        with pytest.raises(anthropic.InternalServerError) as caught:
            await task
    assert caught.value.status_code == 503
    assert "msgbatch_of_nobody" not in str(caught.value)
    last = service.simulator.ledger[-1].request
    assert last is not None
    assert (last.method, last.target) == ("POST", f"{PATH}/msgbatch_of_nobody/cancel")


async def test_a_body_that_is_too_large_is_a_413(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    most = service.running.parts.deployment.proxy.body_bytes_max
    with pytest.raises(anthropic.RequestTooLargeError):
        await ada.sdk.messages.batches.create(requests=[asked("a", "x" * most)])


async def test_a_batch_that_is_being_made_when_the_service_stops_has_its_owner(
    deployment: Deployment, dsn: str
) -> None:
    """The client gave up, so that nothing but the task itself still waits for the upstream."""
    body = b'{"id":"msgbatch_made_late","type":"message_batch"}'
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving(deployment, dsn, GENERATED))
        grace = await customer(service, stack, "grace")
        service.simulator.script(next=Scripted(200, (("content-type", "application/json"),), (Wait(1), Send(body))))
        task = asyncio.create_task(grace.sdk.messages.batches.create(requests=[asked("a")]))
        await until(lambda: len(service.rows("batch")) == 1)
        task.cancel()
    assert [row["upstream_id"] for row in service.rows("batch")] == ["msgbatch_made_late"]
