"""What a person can ask the simulator to do, on a line of the prompt or after the model's name.

In the last user message, a line of its own:

    simulate: overloaded          529, as when Anthropic is overloaded
    simulate: rate_limit          429 with retry-after
    simulate: api_error           500; also: billing, permission, invalid_request, timeout
    simulate: stream_error        an `error` event in the middle of a stream (529 without a stream)
    simulate: disconnect          the connection is reset in the middle of the answer
    simulate: slow 3s             nothing but pings for that long, then the answer
    simulate: long 500            an answer of about that many tokens
    simulate: web_search 2        an answer that used web search so often
    simulate: refusal             stop_reason `refusal`
    simulate: echo                the prompt comes back as the answer

Or, for clients whose prompt is hard to reach, after the model's name: `claude-haiku-4-5+overloaded`,
`claude-haiku-4-5+slow-3s`. Several lines combine. Does no I/O.
"""

import re
from dataclasses import dataclass
from typing import Any

from crouter.simulator.errors import Refusal

ERRORS = {
    "overloaded": Refusal("overloaded_error", "Overloaded"),
    "rate_limit": Refusal("rate_limit_error", "This request would exceed your organization's rate limit."),
    "api_error": Refusal("api_error", "Internal server error"),
    "billing": Refusal("billing_error", "There is an issue with your billing."),
    "permission": Refusal("permission_error", "Your API key does not have permission to use the specified resource."),
    "invalid_request": Refusal("invalid_request_error", "The simulator was asked to refuse this."),
    "timeout": Refusal("timeout_error", "The request timed out."),
}
SWITCHES = ("stream_error", "disconnect", "refusal", "echo")
AMOUNTS = {"slow": "slow_s", "long": "long_tokens", "web_search": "web_searches"}
DEFAULT_AMOUNTS = {"slow": 3, "long": 500, "web_search": 1}
# Bounds that keep a mistyped number from tying up a development machine.
MOST = {"slow": 3600, "long": 100_000, "web_search": 20}

_LINE = re.compile(r"^[ \t]*simulate:[ \t]*(\w+)(?:[ \t]+([\d.]+)[ \t]*s?)?[ \t]*$", re.M)
_SUFFIX = re.compile(r"(\w+?)(?:-([\d.]+)s?)?")


@dataclass(frozen=True)
class Steering:
    """How the answer departs from the ordinary one. `unknown` counts marks nobody knows."""

    error: Refusal | None = None
    stream_error: bool = False
    disconnect: bool = False
    refusal: bool = False
    echo: bool = False
    slow_s: float = 0.0
    long_tokens: int = 0
    web_searches: int = 0
    unknown: int = 0


def split_model(name: str) -> tuple[str, str]:
    """The model's real name and what stands after `+`."""
    model, _, suffix = name.partition("+")
    return model, suffix


def read_steering(text: str, model_suffix: str = "") -> Steering:
    """Every mark in a user's text and in the model's suffix, in that order."""
    marks = _LINE.findall(text)
    if model_suffix:
        match = _SUFFIX.fullmatch(model_suffix)
        marks.append(match.groups(default="") if match else ("?", ""))
    wishes: dict[str, Any] = {}
    for name, amount in marks:
        wish = _wish(name.lower(), amount)
        # Counted, not kept: what somebody typed into a prompt belongs in no answer or log.
        wishes |= wish or {"unknown": wishes.get("unknown", 0) + 1}
    return Steering(**wishes)


def without_marks(text: str) -> str:
    """The text a person wrote for the model, the simulator's own lines taken out."""
    return _LINE.sub("", text).strip()


def _wish(name: str, amount: str) -> dict[str, Any] | None:
    """The field of Steering that a mark sets, or None for a mark nobody knows."""
    if name in ERRORS:
        return {"error": ERRORS[name]}
    if name in SWITCHES:
        return {name: True}
    if name not in AMOUNTS:
        return None
    try:
        number = float(amount or DEFAULT_AMOUNTS[name])
    except ValueError:
        return None
    number = min(number, MOST[name])
    return {AMOUNTS[name]: number if name == "slow" else int(number)}
