"""Errors in Anthropic's shape, and the status each kind travels with."""

from dataclasses import dataclass
from typing import Any

# https://docs.claude.com/en/api/errors
STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class Refusal:
    """Why a request gets no answer. `kind` is a key of STATUS_OF."""

    kind: str
    message: str

    @property
    def status(self) -> int:
        return STATUS_OF[self.kind]


def error_object(kind: str, message: str, request_id: str) -> dict[str, Any]:
    """The body of an error response, and the data of an `error` event."""
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": request_id,
    }
