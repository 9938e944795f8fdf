"""Our own errors in Anthropic's shape, as an HTTP body and as an event of a stream that already began.

Errors of the upstream are not made here: their bytes pass unchanged. Messages name a rule, never what a client sent.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Type to HTTP status, as published in Anthropic's list of errors. `api_error` is the one that
# stands for several statuses: 500 ours, 502 the upstream's connection, 503 a dependency away.
_STATUSES: Final[dict[str, frozenset[int]]] = {
    "invalid_request_error": frozenset({400, 409}),
    "authentication_error": frozenset({401}),
    "billing_error": frozenset({402}),
    "permission_error": frozenset({403}),
    "not_found_error": frozenset({404, 405}),
    "request_too_large": frozenset({413}),
    "rate_limit_error": frozenset({429}),
    "api_error": frozenset({500, 502, 503}),
    "timeout_error": frozenset({504}),
    "overloaded_error": frozenset({529}),
}

JSON_CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """One answer of our own. `retry_after_seconds` becomes the `retry-after` header, `allow` that of a 405.

    `more_headers` are added as they are.
    """

    status: int
    type: str
    message: str
    retry_after_seconds: int | None = None
    allow: tuple[str, ...] = ()
    more_headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        assert self.status in _STATUSES[self.type], "error type and status do not belong together"
        assert self.retry_after_seconds is None or self.retry_after_seconds >= 1

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Headers of the HTTP answer; the length of the body is left to the transport."""
        fixed: tuple[tuple[str, str], ...] = (
            ("content-type", JSON_CONTENT_TYPE),
            ("request-id", request_id),
            ("x-crouter-request-id", request_id),
            *self.more_headers,
        )
        if self.allow:
            fixed = (*fixed, ("allow", ", ".join(self.allow)))
        if self.retry_after_seconds is None:
            return fixed
        return (*fixed, ("retry-after", str(self.retry_after_seconds)))

    def body(self, request_id: str) -> bytes:
        """The compact JSON body of the HTTP answer."""
        error = {"type": self.type, "message": self.message}
        reply = {"type": "error", "error": error, "request_id": request_id}
        return json.dumps(reply, separators=(",", ":")).encode("ascii")

    def event(self, request_id: str) -> bytes:
        """The same error as a server-sent event, for a stream whose 200 has already left.

        It starts with an empty line: the bytes before it may have stopped inside an event,
        and a parser then drops or closes that one instead of swallowing ours.
        """
        return b"\n\nevent: error\ndata: " + self.body(request_id) + b"\n\n"


def invalid_request(message: str) -> ErrorReply:
    return ErrorReply(400, "invalid_request_error", message)


def authentication_failed() -> ErrorReply:
    """One wording for every cause: which part of a key was wrong is nobody's business."""
    return ErrorReply(401, "authentication_error", "invalid API key")


def authentication_missing() -> ErrorReply:
    return ErrorReply(
        401,
        "authentication_error",
        "no API key: send it as `x-api-key` or as `Authorization: Bearer`",
    )


def authentication_ambiguous() -> ErrorReply:
    return ErrorReply(
        401,
        "authentication_error",
        "`x-api-key` and `authorization` name different API keys: send one of them",
    )


def balance_too_low(nanousd: int) -> ErrorReply:
    """`nanousd` is the most that the request can cost; what it really costs is charged, which is usually far less."""
    cents = -(-nanousd // 10_000_000)
    message = (
        f"the prepaid balance is too low: this request may cost up to {cents // 100}.{cents % 100:02} USD; "
        "lower max_tokens or shorten the prompt, wait for requests under way, or top up"
    )
    return ErrorReply(402, "billing_error", message)


def spending_limit_reached(nanousd: int, at: datetime, *, of_key: bool) -> ErrorReply:
    """`nanousd` is the most that the request can cost, `at` lies in the month of the limit."""
    cents = -(-nanousd // 10_000_000)
    message = (
        f"the spending limit of this {'API key' if of_key else 'account'} for {at:%Y-%m} (UTC) leaves no room: "
        f"this request may cost up to {cents // 100}.{cents % 100:02} USD; "
        "raise the limit on the dashboard, lower max_tokens, or wait for the next month"
    )
    return ErrorReply(402, "billing_error", message)


def permission_denied(message: str) -> ErrorReply:
    return ErrorReply(403, "permission_error", message)


def not_found(message: str = "no such resource") -> ErrorReply:
    return ErrorReply(404, "not_found_error", message)


def method_not_allowed(allowed: Sequence[str] = ()) -> ErrorReply:
    """RFC 9110 15.5.6: such an answer names the methods that there are."""
    methods = tuple(dict.fromkeys(allowed))
    return ErrorReply(405, "not_found_error", "this path does not answer to this method", allow=methods)


def batch_not_found() -> ErrorReply:
    """The same for a batch that is somebody else's and for one that never was."""
    return not_found("no message batch of yours has this id")


def conflict(message: str) -> ErrorReply:
    """The request is in order, and what is there does not allow it."""
    return ErrorReply(409, "invalid_request_error", message)


def request_too_large(body_bytes_max: int) -> ErrorReply:
    return ErrorReply(413, "request_too_large", f"the request body is larger than {body_bytes_max} bytes")


def rate_limited(limit: str, retry_after_seconds: float, headers: tuple[tuple[str, str], ...] = ()) -> ErrorReply:
    """`limit` is the published name of the limit that was reached, `headers` say how the key stands."""
    wait = max(1, math.ceil(retry_after_seconds))
    return ErrorReply(429, "rate_limit_error", f"rate limit reached: {limit}", wait, more_headers=headers)


def internal_error() -> ErrorReply:
    return ErrorReply(500, "api_error", "internal server error")


def upstream_unreachable() -> ErrorReply:
    return ErrorReply(502, "api_error", "the upstream could not be reached or broke off", 1)


def unavailable(retry_after_seconds: int = 5) -> ErrorReply:
    return ErrorReply(503, "api_error", "temporarily unavailable, try again", retry_after_seconds)


def upstream_timed_out() -> ErrorReply:
    return ErrorReply(504, "timeout_error", "the upstream did not answer in time")


def overloaded(retry_after_seconds: int = 5) -> ErrorReply:
    return ErrorReply(529, "overloaded_error", "overloaded, try again", retry_after_seconds)
