"""What results of a batch say was used is in the books once, at the price of a batch, and before a line leaves."""

import asyncio
import json

import aiohttp
import anthropic
import pytest

from crouter.simulator import Reset, Scripted, Send
from tests.behaviour.service import CREDIT_NANOUSD, Service
from tests.clients.batching import PATH, Customer, asked, assert_billed_once, ended, results

ENOUGH = 4_000_000
"""Nanodollars that one batch of one short request with `max_tokens` of 200 may cost, and two may not."""


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


async def test_credit_for_one_batch_admits_one(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    # 200 tokens of output at 2,500 nanodollars and some 4,200 of input at 500, and not two times as much.
    await service.accounts.credit(ada.account, ENOUGH - CREDIT_NANOUSD)
    request = [asked("a", max_tokens=200)]
    outcomes = await asyncio.gather(
        *(ada.sdk.messages.batches.create(requests=request) for _ in range(5)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, anthropic.PaymentRequiredError)]
    held = sum(row["held_nanousd"] for row in service.rows("batch"))
    assert len(refused) == 4
    assert ENOUGH // 2 < held <= ENOUGH
    with pytest.raises(anthropic.PaymentRequiredError):
        await ada.sdk.messages.batches.create(requests=request)


async def test_the_reservation_ends_with_the_results_and_with_a_failure(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    await service.accounts.credit(ada.account, ENOUGH - CREDIT_NANOUSD)
    request = [asked("a", max_tokens=200)]
    service.simulator.script(next=Scripted.error("overloaded_error"))
    with pytest.raises(anthropic.OverloadedError):
        await ada.sdk.messages.batches.create(requests=request)
    made = await ada.sdk.messages.batches.create(requests=request)
    await ended(ada.sdk, made.id)
    await results(ada.sdk, made.id)
    again = await ada.sdk.messages.batches.create(requests=request)
    assert again.id != made.id


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
