"""Our own errors: shape, status, headers, and the form they take inside a stream."""

import json

import pytest

from crouter.runtime.proxy import errors
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.events import EventTap

CATALOGUE = [
    (errors.invalid_request("model: Field required"), 400, "invalid_request_error"),
    (errors.authentication_failed(), 401, "authentication_error"),
    (errors.authentication_missing(), 401, "authentication_error"),
    (errors.authentication_ambiguous(), 401, "authentication_error"),
    (errors.balance_too_low(1), 402, "billing_error"),
    (errors.permission_denied("no"), 403, "permission_error"),
    (errors.not_found(), 404, "not_found_error"),
    (errors.method_not_allowed(), 405, "not_found_error"),
    (errors.request_too_large(33554432), 413, "request_too_large"),
    (errors.rate_limited("50 requests a minute", 3.2), 429, "rate_limit_error"),
    (errors.internal_error(), 500, "api_error"),
    (errors.upstream_unreachable(), 502, "api_error"),
    (errors.unavailable(), 503, "api_error"),
    (errors.upstream_timed_out(), 504, "timeout_error"),
    (errors.overloaded(), 529, "overloaded_error"),
]


@pytest.mark.parametrize(("reply", "status", "kind"), CATALOGUE)
def test_every_error_has_anthropics_shape(reply: ErrorReply, status: int, kind: str) -> None:
    assert reply.status == status
    assert json.loads(reply.body("req_1")) == {
        "type": "error",
        "error": {"type": kind, "message": reply.message},
        "request_id": "req_1",
    }
    assert dict(reply.headers("req_1"))["content-type"] == "application/json"
    assert dict(reply.headers("req_1"))["request-id"] == "req_1"


def test_the_body_is_compact() -> None:
    assert errors.not_found("x").body("req_1") == (
        b'{"type":"error","error":{"type":"not_found_error","message":"x"},"request_id":"req_1"}'
    )


@pytest.mark.parametrize(("asked", "sent"), [(0.0, "1"), (0.2, "1"), (3.2, "4"), (60, "60")])
def test_retry_after_is_whole_seconds_rounded_up(asked: float, sent: str) -> None:
    assert dict(errors.rate_limited("limit", asked).headers("r"))["retry-after"] == sent


def test_an_unavailable_service_says_when_to_come_back() -> None:
    assert "retry-after" in dict(errors.unavailable().headers("r"))
    assert "retry-after" not in dict(errors.authentication_failed().headers("r"))


@pytest.mark.parametrize("before", [b"", b"event: message_delta\ndata: {", b"event: ping\n"])
def test_the_event_is_read_even_after_a_stream_cut_in_the_middle(before: bytes) -> None:
    tap = EventTap()
    tap.feed(before)
    tap.feed(errors.overloaded().event("req_1"))
    assert tap.facts.error_type == "overloaded_error"


def test_a_type_with_a_status_of_another_is_our_own_bug() -> None:
    with pytest.raises(AssertionError):
        ErrorReply(400, "authentication_error", "x")
