"""One attempt, one record: every way an answer can end."""

import gzip
import json
from typing import Any

import pytest

from crouter.runtime.proxy.attempt import Attempt, Ending, Outcome, State, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.usage import UsageCounts

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


START = event("message_start", message={"model": "claude-opus-5-5", "usage": {"input_tokens": 25, "output_tokens": 1}})
BLOCK = event("content_block_start", index=0)
TEXT = event("content_block_delta", delta={"text": "canary"})
DELTA = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 15})
STOP = event("message_stop")
ERROR = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
MESSAGE = json.dumps(
    {"model": "claude-opus-5-5", "content": [{"type": "text"}], "usage": {"input_tokens": 25, "output_tokens": 15}}
).encode()

REPORTED_AT_START = UsageCounts(input_tokens=25, output_tokens=1)
REPORTED_AT_END = UsageCounts(input_tokens=25, output_tokens=15)


def run(
    chunks: list[bytes],
    ending: Ending = Ending.UPSTREAM_CLOSED,
    status: int = 200,
    content_type: str = SSE,
    coding: str | None = None,
) -> tuple[UsageRecordDraft | None, Attempt]:
    attempt = Attempt("claude-opus-5-5", ORDINARY)
    attempt.head(status, content_type, coding)
    for chunk in chunks:
        attempt.body(chunk)
    return attempt.end(ending), attempt


def draft_of(*arguments: Any, **named: Any) -> UsageRecordDraft:
    draft, _ = run(*arguments, **named)
    assert draft is not None
    return draft


def test_a_whole_stream() -> None:
    assert draft_of([START, BLOCK, TEXT, DELTA, STOP]) == UsageRecordDraft(
        model_requested="claude-opus-5-5",
        model_reported="claude-opus-5-5",
        options_requested=ORDINARY,
        counts=REPORTED_AT_END,
        outcome=Outcome.COMPLETE,
        status=200,
        billable=True,
        output_is_placeholder=False,
        unknown_keys=(),
        anomalies=(),
    )


def test_a_whole_json_answer() -> None:
    draft = draft_of([MESSAGE[:10], MESSAGE[10:]], content_type=JSON)
    assert (draft.counts, draft.outcome, draft.anomalies) == (REPORTED_AT_END, Outcome.COMPLETE, ())


@pytest.mark.parametrize(("chunks", "content_type"), [([START, DELTA, STOP], SSE), ([MESSAGE], JSON)])
def test_a_coded_answer_is_read_from_a_copy(chunks: list[bytes], content_type: str) -> None:
    coded = gzip.compress(b"".join(chunks))
    draft = draft_of([coded[:9], coded[9:]], content_type=content_type, coding="gzip")
    assert (draft.counts, draft.outcome) == (REPORTED_AT_END, Outcome.COMPLETE)


@pytest.mark.parametrize(
    ("chunks", "ending", "outcome", "counts", "placeholder"),
    [
        ([START, BLOCK, TEXT], Ending.CLIENT_LEFT, Outcome.CLIENT_LEFT, REPORTED_AT_START, True),
        ([START, TEXT, DELTA], Ending.CLIENT_LEFT, Outcome.CLIENT_LEFT, REPORTED_AT_END, False),
        ([START, TEXT, DELTA, STOP], Ending.CLIENT_LEFT, Outcome.COMPLETE, REPORTED_AT_END, False),
        ([START, TEXT], Ending.UPSTREAM_BROKE_OFF, Outcome.TRUNCATED, REPORTED_AT_START, True),
        ([START, TEXT], Ending.UPSTREAM_CLOSED, Outcome.TRUNCATED, REPORTED_AT_START, True),
        ([START, TEXT], Ending.CRASHED, Outcome.CRASHED, REPORTED_AT_START, True),
        ([START, TEXT, ERROR], Ending.UPSTREAM_CLOSED, Outcome.UPSTREAM_ERROR, REPORTED_AT_START, True),
        ([START, TEXT, ERROR], Ending.CLIENT_LEFT, Outcome.UPSTREAM_ERROR, REPORTED_AT_START, True),
    ],
)
def test_what_was_reported_until_the_end_is_billed_and_not_more(
    chunks: list[bytes], ending: Ending, outcome: Outcome, counts: UsageCounts, placeholder: bool
) -> None:
    draft = draft_of(chunks, ending)
    assert (draft.outcome, draft.counts, draft.output_is_placeholder) == (outcome, counts, placeholder)


@pytest.mark.parametrize("ending", list(Ending))
def test_an_attempt_without_an_answer_bills_nothing(ending: Ending) -> None:
    attempt = Attempt("claude-opus-5-5", ORDINARY)
    assert attempt.end(ending) is None
    assert attempt.anomalies == ()


@pytest.mark.parametrize("ending", list(Ending))
@pytest.mark.parametrize("status", [400, 401, 404, 413, 429, 500, 529])
def test_an_error_status_without_usage_bills_nothing(status: int, ending: Ending) -> None:
    for body in (b'{"type":"error","error":{"type":"x","message":"y"}}', b"<html>", b""):
        draft, attempt = run([body], ending, status, JSON)
        assert draft is None
        assert attempt.anomalies == ()


def test_an_error_in_a_coding_we_cannot_read_is_no_loss() -> None:
    draft, attempt = run([b"\x0b\x02\x80"], status=529, content_type=JSON, coding="br")
    assert draft is None
    assert attempt.anomalies == ()


def test_a_json_answer_of_which_a_client_saw_half_reported_nothing() -> None:
    draft, attempt = run([MESSAGE[:-1]], Ending.CLIENT_LEFT, content_type=JSON)
    assert draft is None
    assert attempt.anomalies == ()


def test_a_refusal_before_any_output_is_recorded_and_not_billable() -> None:
    refusal = event("message_delta", delta={"stop_reason": "refusal"}, usage={"output_tokens": 1})
    assert not draft_of([START, refusal, STOP]).billable
    assert draft_of([START, BLOCK, TEXT, refusal, STOP]).billable
    body = json.dumps({"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 9}}).encode()
    assert not draft_of([body], content_type=JSON).billable


def test_an_answer_without_content_is_billable_unless_it_is_a_refusal() -> None:
    assert draft_of([START], Ending.CLIENT_LEFT).billable
    assert draft_of([START, DELTA, STOP]).billable
    assert draft_of([b'{"content":[],"stop_reason":"end_turn","usage":{"input_tokens":9}}'], content_type=JSON).billable


ALARMS = [
    ([START, STOP], SSE, "br", "content_coding_unreadable"),
    ([b"\x1f\x8b junk junk junk"], SSE, "gzip", "content_coding_broken"),
    ([b"{"], JSON, None, "answer_incomplete"),
    ([START[:40]], SSE, None, "answer_incomplete"),
    ([b'{"type":"message"}'], JSON, None, "usage_missing"),
    ([STOP], SSE, None, "usage_missing"),
]


@pytest.mark.parametrize(("chunks", "content_type", "coding", "alarm"), ALARMS)
def test_a_success_that_reports_nothing_raises_an_alarm(
    chunks: list[bytes], content_type: str, coding: str | None, alarm: str
) -> None:
    draft, attempt = run(chunks, content_type=content_type, coding=coding)
    assert draft is None
    assert attempt.anomalies == (alarm,)


def test_an_attempt_ends_once_and_says_so() -> None:
    _, attempt = run([START, STOP])
    assert attempt.ended
    assert attempt.state is State.ENDED
    with pytest.raises(AssertionError):
        attempt.end(Ending.CRASHED)
    with pytest.raises(AssertionError):
        attempt.body(b"")


def test_head_and_body_come_in_order() -> None:
    attempt = Attempt("m", ORDINARY)
    with pytest.raises(AssertionError):
        attempt.body(b"x")
    attempt.head(200, SSE, None)
    with pytest.raises(AssertionError):
        attempt.head(200, SSE, None)


@pytest.mark.claim("exclude-retention")
@pytest.mark.parametrize("content_type", [SSE, JSON])
def test_nothing_of_the_content_is_held_after_the_end(content_type: str) -> None:
    _, attempt = run([START, TEXT, DELTA], Ending.CLIENT_LEFT, content_type=content_type)
    assert attempt._tap is None
    assert attempt._body == []
