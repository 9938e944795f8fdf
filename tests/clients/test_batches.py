"""Message batches through the `anthropic` SDK: they work as they do without us, everybody sees their own, and what
the results say was used is in the books once, at the price of a batch."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import anthropic
import psycopg
import pytest
import pytest_asyncio
from anthropic.types.messages.batch_create_params import Request

from crouter.runtime.batches import BatchRecords
from crouter.runtime.server import batch_creation
from crouter.simulator import Reset, Scripted, Send, Wait
from tests.behaviour.service import CREDIT_NANOUSD, MODEL, Service, until
from tests.clients.books import RATES

PATH = "/v1/messages/batches"


@dataclass(frozen=True)
class Customer:
    """Somebody with an account, a key and the SDK."""

    account: uuid.UUID
    key: str
    sdk: anthropic.AsyncAnthropic

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key, "anthropic-version": "2023-06-01"}


async def customer(service: Service, stack: AsyncExitStack, name: str) -> Customer:
    account = await service.accounts.create(f"{name}@example.org", name)
    await service.accounts.credit(account, CREDIT_NANOUSD)
    key = (await service.keys.create(account)).key.reveal()
    sdk = await stack.enter_async_context(anthropic.AsyncAnthropic(api_key=key, base_url=service.url, max_retries=0))
    return Customer(account, key, sdk)


@pytest_asyncio.fixture
async def two(service: Service) -> AsyncIterator[tuple[Customer, Customer]]:
    async with AsyncExitStack() as stack:
        yield await customer(service, stack, "grace"), await customer(service, stack, "mary")


def asked(name: str, text: str = "hi", model: str = MODEL, **more: Any) -> Request:
    params = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": text}], **more}
    return {"custom_id": name, "params": params}  # type: ignore[typeddict-item]


async def ended(sdk: anthropic.AsyncAnthropic, batch_id: str) -> anthropic.types.messages.MessageBatch:
    async def has_ended() -> bool:
        return (await sdk.messages.batches.retrieve(batch_id)).processing_status == "ended"

    await until(has_ended, 20)
    return await sdk.messages.batches.retrieve(batch_id)


async def results(sdk: anthropic.AsyncAnthropic, batch_id: str) -> dict[str, str]:
    return {line.custom_id: line.result.type async for line in await sdk.messages.batches.results(batch_id)}


def cost_nanousd(usage: dict[str, Any]) -> int:
    """What one result costs: half of each rate."""
    rates = {name: rate // 2 for name, rate in RATES[MODEL].items()}
    split = usage["cache_creation"]
    return int(
        usage["input_tokens"] * rates["input"]
        + usage["output_tokens"] * rates["output"]
        + split["ephemeral_5m_input_tokens"] * rates["write_5m"]
        + split["ephemeral_1h_input_tokens"] * rates["write_1h"]
        + usage["cache_read_input_tokens"] * rates["read"]
    )


def assert_billed_once(service: Service, who: Customer) -> None:
    """One row and one charge for each result that succeeded, and none beside them."""
    lines = list(service.simulator.ledger.batch_lines)
    rows = {row["id"]: row for row in service.rows("usage")}
    charges = {row["id"]: row for row in service.rows("ledger") if row["kind"] == "charge"}
    assert len(rows) == len(lines)
    assert rows.keys() == charges.keys()
    assert sorted(-row["amount_nanousd"] for row in charges.values()) == sorted(
        cost_nanousd(line.usage) for line in lines
    )
    assert sorted(row["output_tokens"] for row in rows.values()) == sorted(
        line.usage["output_tokens"] for line in lines
    )
    assert {row["account_id"] for row in rows.values()} == {who.account}


async def test_a_batch_lives_as_it_does_upstream_and_is_billed_at_half_the_price(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(
        requests=[asked("first"), asked("second", "simulate: echo\nBatch"), asked("third", "simulate: overloaded")]
    )
    assert made.processing_status == "in_progress"
    assert (await ended(ada.sdk, made.id)).request_counts.succeeded == 2
    assert await results(ada.sdk, made.id) == {"first": "succeeded", "second": "succeeded", "third": "errored"}
    assert_billed_once(service, ada)
    (record,) = service.rows("batch")
    assert record["settled_at"] is not None
    gone = await ada.sdk.messages.batches.delete(made.id)
    assert gone.type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        await ada.sdk.messages.batches.retrieve(made.id)


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


async def test_a_deleted_accounts_key_and_a_second_key_see_what_their_account_may(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    second = await service.keys.rotate(ada.account)
    async with anthropic.AsyncAnthropic(api_key=second.key.reveal(), base_url=service.url, max_retries=0) as sdk:
        assert (await sdk.messages.batches.retrieve(made.id)).id == made.id


async def test_results_read_twice_and_at_once_are_billed_once(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked(f"r{n}") for n in range(40)])
    await ended(ada.sdk, made.id)
    both = await asyncio.gather(results(ada.sdk, made.id), results(ada.sdk, made.id))
    assert both[0] == both[1] == {f"r{n}": "succeeded" for n in range(40)}
    assert await results(ada.sdk, made.id) == both[0]
    assert_billed_once(service, ada)


async def test_half_a_reading_and_a_whole_one_are_billed_once(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked(f"r{n}") for n in range(30)])
    await ended(ada.sdk, made.id)
    lines = service.simulator.batches.results(made.id)
    assert isinstance(lines, bytes)
    service.simulator.script(next=Scripted.stream([Send(lines[: len(lines) // 2]), Reset(0.2)]))
    async with aiohttp.ClientSession(service.url, headers=ada.headers()) as http:
        answer = await http.get(f"{PATH}/{made.id}/results")
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
    some = len(service.rows("usage"))
    assert 0 < some < 30
    (record,) = service.rows("batch")
    assert record["settled_at"] is None, "the reservation stays until everything is billed"
    await results(ada.sdk, made.id)
    assert_billed_once(service, ada)


async def test_no_line_leaves_before_its_record_is_written(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked(f"r{n}", "simulate: long 60") for n in range(60)])
    await ended(ada.sdk, made.id)
    async with (
        aiohttp.ClientSession(service.url, headers=ada.headers()) as http,
        http.get(f"{PATH}/{made.id}/results") as answer,
    ):
        seen = 0
        async for line in answer.content:
            seen += 1
            if seen % 10 == 0:
                assert len(service.rows("usage")) >= seen
            assert json.loads(line)["result"]["type"] == "succeeded"
    assert seen == 60


async def test_results_pass_byte_for_byte(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("naïve"), asked("b", "simulate: invalid_request")])
    await ended(ada.sdk, made.id)
    odd = (
        b'{"custom_id":"x",  "result" : {"type":"expired"}}\r\n\n'
        b'{"custom_id":"y","result":{"type":"made_up_in_2031","deep":[1]}}\n{not json\n{"custom_id":"z"}'
    )
    service.simulator.script(next=Scripted.stream([odd[n : n + 7] for n in range(0, len(odd), 7)]))
    async with (
        aiohttp.ClientSession(service.url, headers=ada.headers()) as http,
        http.get(f"{PATH}/{made.id}/results") as answer,
    ):
        assert await answer.read() == odd
    assert service.rows("usage") == []
    assert service.out.getvalue().count("batch_line_unreadable") == 2


async def test_a_reader_cannot_ask_for_a_part_or_a_coding_that_would_not_be_billed(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    await ended(ada.sdk, made.id)
    sly = ada.headers() | {"range": "bytes=10-", "if-none-match": "*", "accept-encoding": "gzip"}
    async with aiohttp.ClientSession(service.url, headers=sly) as http:
        async with http.get(f"{PATH}/{made.id}/results") as answer:
            assert answer.status == 200
            await answer.read()
        request = service.simulator.ledger[-1].request
        assert request is not None
        assert request.header("range") is request.header("if-none-match") is None
        assert request.header("accept-encoding") == "identity"
        packed = Scripted.raw(200, b'{"custom_id":"a"}\n').encoded("gzip")
        for scripted in (packed, Scripted.raw(206, b'"a"}\n'), Scripted.redirect("https://elsewhere.example/")):
            service.simulator.script(next=scripted)
            async with http.get(f"{PATH}/{made.id}/results", allow_redirects=False) as answer:
                assert answer.status == 502


async def test_a_deleted_batch_that_nobody_read_is_billed_first(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a"), asked("b")])
    await ended(ada.sdk, made.id)
    assert service.rows("usage") == []
    await ada.sdk.messages.batches.delete(made.id)
    assert_billed_once(service, ada)
    assert [batch async for batch in ada.sdk.messages.batches.list()] == []


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


async def test_credit_for_one_batch_admits_one(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    # 64 tokens of output at 2,500 nanodollars, and not two times as much.
    await service.accounts.credit(ada.account, 1_000_000 - CREDIT_NANOUSD)
    request = [asked(f"r{n}", max_tokens=200) for n in range(1)]
    outcomes = await asyncio.gather(
        *(ada.sdk.messages.batches.create(requests=request) for _ in range(5)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, anthropic.PaymentRequiredError)]
    held = sum(row["held_nanousd"] for row in service.rows("batch"))
    assert len(refused) == 4
    assert 500_000 < held <= 1_000_000
    with pytest.raises(anthropic.PaymentRequiredError):
        await ada.sdk.messages.batches.create(requests=request)


async def test_the_reservation_ends_with_the_results_and_with_a_failure(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    await service.accounts.credit(ada.account, 1_000_000 - CREDIT_NANOUSD)
    request = [asked("a", max_tokens=200)]
    service.simulator.script(next=Scripted.error("overloaded_error"))
    with pytest.raises(anthropic.OverloadedError):
        await ada.sdk.messages.batches.create(requests=request)
    made = await ada.sdk.messages.batches.create(requests=request)
    await ended(ada.sdk, made.id)
    await results(ada.sdk, made.id)
    again = await ada.sdk.messages.batches.create(requests=request)
    assert again.id != made.id


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


async def test_a_deletion_of_what_is_gone_already_ends_its_reservation(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("a")])
    service.simulator.batches._batches.clear()
    with pytest.raises(anthropic.NotFoundError):
        await ada.sdk.messages.batches.delete(made.id)
    (record,) = service.rows("batch")
    assert record["ended_at"] is not None


async def test_a_body_that_is_too_large_is_a_413(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    most = service.running.parts.deployment.proxy.body_bytes_max
    with pytest.raises(anthropic.RequestTooLargeError):
        await ada.sdk.messages.batches.create(requests=[asked("a", "x" * most)])


async def test_nothing_of_a_batch_is_stored_but_what_is_declared(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    made = await ada.sdk.messages.batches.create(requests=[asked("canary-name", "canary-text")])
    await ended(ada.sdk, made.id)
    await results(ada.sdk, made.id)
    for table in ("batch", "usage", "ledger"):
        assert "canary" not in str(service.rows(table))
    assert "canary" not in service.out.getvalue()
