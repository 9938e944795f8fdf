"""Batches of the simulator: one life, from made to deleted, with an upstream's refusals."""

import json

import pytest

from crouter.simulator.batches import Batch, Batches
from crouter.simulator.cache import PromptCache
from crouter.simulator.errors import Refusal
from crouter.simulator.ledger import BatchLine
from crouter.simulator.models import MODELS


def entry(name: str, text: str = "hi", model: str = "claude-haiku-4-5") -> dict[str, object]:
    params = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": name, "params": params}


@pytest.fixture
def told() -> list[BatchLine]:
    return []


@pytest.fixture
def batches(told: list[BatchLine]) -> Batches:
    return Batches(MODELS, PromptCache(lambda: 0.0), told.append)


def made(batches: Batches, *entries: dict[str, object], seed: str = "s") -> Batch:
    batch = batches.create(json.dumps({"requests": entries}).encode(), seed)
    assert isinstance(batch, Batch)
    return batch


def test_a_batch_ends_after_a_look_and_tells_what_it_used(batches: Batches, told: list[BatchLine]) -> None:
    batch = made(batches, entry("a"), entry("b", "simulate: overloaded"), entry("c", model="claude-none"))
    assert isinstance(batches.results(batch.id), Refusal)
    assert isinstance(batches.delete(batch.id), Refusal)
    for _ in range(2):
        batches.look(batch.id)
    assert batch.wire("u")["request_counts"]["errored"] == 2
    lines = batches.results(batch.id)
    assert isinstance(lines, bytes)
    first = json.loads(lines.splitlines()[0])["result"]["message"]
    assert first["usage"]["service_tier"] == "batch"
    assert [(line.custom_id, line.usage) for line in told] == [("a", first["usage"])]
    assert batches.delete(batch.id) == {"id": batch.id, "type": "message_batch_deleted"}
    assert isinstance(batches.find(batch.id), Refusal)


def test_a_cancelled_batch_ends_without_answers(batches: Batches, told: list[BatchLine]) -> None:
    batch = made(batches, entry("a"))
    batches.cancel(batch.id)
    assert batch.wire("u")["processing_status"] == "canceling"
    batches.look(batch.id)
    assert (batch.wire("u")["processing_status"], told) == ("ended", [])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"requests":[]}', b'{"requests":[{}]}', b'{"requests":[{"custom_id":"a","params":{}}]}'],
)
def test_a_body_that_is_none_is_refused(batches: Batches, body: bytes) -> None:
    assert isinstance(batches.create(body, "s"), Refusal)


def test_a_page_holds_everybodys_newest_first(batches: Batches) -> None:
    ids = [made(batches, entry("a"), seed=str(number)).id for number in range(5)]
    page = batches.page({"limit": "2", "after_id": ids[4]}, "u")
    assert isinstance(page, dict)
    assert ([batch["id"] for batch in page["data"]], page["has_more"]) == ([ids[3], ids[2]], True)
