"""Batches by value: entries read strictly and named by number, pages, and the one address that is changed."""

import json
from typing import Any

import pytest

from crouter.runtime.proxy.batches import (
    PAGE_MAX,
    Entry,
    PageAsked,
    batch_id_in,
    has_ended,
    page_body,
    read_entries,
    read_entry,
    read_page_query,
    with_own_results,
)
from crouter.runtime.proxy.request import Refused

PARAMS = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": []}


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def test_an_entry_has_the_options_of_the_batch_tier_and_its_own_bytes() -> None:
    source = b'{"custom_id": "a", "params" : {"model":"m" ,  "max_tokens":9,"inference_geo":"us"} }'
    entry = read_entry(0, source)
    assert isinstance(entry, Entry)
    assert (entry.custom_id, entry.params) == ("a", b'{"model":"m" ,  "max_tokens":9,"inference_geo":"us"}')
    assert (entry.accepted.options.service_tier, entry.accepted.options.inference_geo) == ("batch", "us")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "requests: Field required"),
        (b'{"requests":null}', "at least one entry"),
        (b'{"requests":[]}', "at least one entry"),
        (b'{"requests":{}}', "requests: must be a list"),
        (b'{"requests":[1],"requests":[2]}', "gives a key twice"),
    ],
)
def test_a_body_without_entries_is_refused(body: bytes, said: str) -> None:
    refused = read_entries(body)
    assert isinstance(refused, Refused)
    assert said in refused.message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"7", "requests.3 must be a JSON object"),
        (b'{"custom_id":"secret","custom_id":"b"}', "requests.3 gives a key twice"),
        (encoded({"params": PARAMS}), "requests.3.custom_id: must be a string"),
        (encoded({"custom_id": 7, "params": PARAMS}), "requests.3.custom_id: must be a string"),
        (encoded({"custom_id": "secret"}), "requests.3.params: Field required"),
        (encoded({"custom_id": "secret", "params": []}), "requests.3.params: the request body must be a JSON object"),
        (encoded({"custom_id": "secret", "params": {**PARAMS, "model": 7}}), "requests.3.params: model: must be"),
        (encoded({"custom_id": "secret", "params": {**PARAMS, "container": "secret"}}), "requests.3.params: container"),
        (b'{"custom_id":"secret","params":{"model":"a","model":"b"}}', "requests.3.params: the request body gives"),
    ],
)
def test_an_entry_that_is_refused_is_named_by_its_number(source: bytes, said: str) -> None:
    refused = read_entry(3, source)
    assert isinstance(refused, Refused)
    assert refused.message.startswith(said)
    assert "secret" not in refused.message


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ([], PageAsked(20, None, None)),
        ([("limit", "1")], PageAsked(1, None, None)),
        ([("limit", "1000"), ("after_id", "a")], PageAsked(PAGE_MAX, "a", None)),
        ([("before_id", "b"), ("beta", "true")], PageAsked(20, None, "b")),
    ],
)
def test_a_query_says_which_page(query: list[tuple[str, str]], asked: PageAsked) -> None:
    assert read_page_query(query) == asked


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "", "x", "1.5", "٣", "99999999999999999999"])
def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    assert isinstance(read_page_query([("limit", limit)]), Refused)


def test_a_query_with_two_cursors_or_a_key_given_twice_is_refused() -> None:
    assert isinstance(read_page_query([("after_id", "a"), ("before_id", "b")]), Refused)
    assert isinstance(read_page_query([("limit", "1"), ("limit", "2")]), Refused)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b'{"id":"msgbatch_01"}', "msgbatch_01"),
        (b'{"id":"a/../b"}', None),
        (b'{"id":""}', None),
        (b'{"id":7}', None),
        (b"{}", None),
        (b"[]", None),
        (b"", None),
        (b'{"id":"a","id":"b"}', None),
    ],
)
def test_only_an_id_of_plausible_form_becomes_a_record(answer: bytes, found: str | None) -> None:
    assert batch_id_in(answer) == found


def test_the_address_of_results_is_all_that_is_changed() -> None:
    theirs = b'{ "id":"a",\n"results_url" : "https:\\/\\/api.example\\/x" , "other":"https://api.example/x"}\n'
    ours = b'{ "id":"a",\n"results_url" : "https://our.example/y" , "other":"https://api.example/x"}\n'
    assert with_own_results(theirs, "https://our.example/y") == ours


@pytest.mark.parametrize("answer", [b'{"results_url": null}', b"{}", b"not json", b'{"results_url":7}', b""])
def test_an_answer_without_such_an_address_is_left_as_it_is(answer: bytes) -> None:
    assert with_own_results(answer, "https://our.example/y") == answer


def test_a_page_has_the_form_of_the_api() -> None:
    empty: dict[str, Any] = {"data": [], "has_more": False, "first_id": None, "last_id": None}
    assert json.loads(page_body([], [], has_more=False)) == empty
    two = page_body([b'{"id": 1}', b"{}"], ["a", "b"], has_more=True)
    assert json.loads(two) == {"data": [{"id": 1}, {}], "has_more": True, "first_id": "a", "last_id": "b"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"processing_status":"ended"}', True),
        (b'{"id":"x", "processing_status" : "in_progress"}', False),
        (b'{"processing_status":"canceling"}', False),
        (b'{"processing_status":"made_up_in_2031"}', False),
        (b'{"processing_status":null}', None),
        (b'{"id":"x"}', None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_a_batch_has_ended_only_where_it_says_so(answer: bytes, expected: bool | None) -> None:
    assert has_ended(answer) is expected
