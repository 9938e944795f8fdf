"""What has to be known of a request's body before it is forwarded, and what is refused for it.

The body itself is forwarded untouched; here it is only read. Unknown fields pass: the upstream judges them.
Refused is what would let us and the upstream read two different requests out of one body: text that
is no JSON, and a key given twice in the body, in a tool or in a fallback; and what refers to state that all customers
share. Messages name the rule and, at most, a model id of plausible form; nothing else of a body is ever repeated.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from crouter.runtime.proxy.cost_factors import CostFactors, add_rest
from crouter.runtime.proxy.members import Members, Refusal, first_byte, object_members, objects_of, value_of
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions, service_options
from crouter.runtime.proxy.shared_state import refuse_shared_state

MODEL_PATTERN: Final = r"[A-Za-z0-9._:@/-]{1,128}"
_MODEL_CHARS_MAX: Final = 128
_MODEL = re.compile(MODEL_PATTERN)
_OPTION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TOOL_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# What is read further down; most requests have none of it.
_RARE: Final = frozenset(
    {
        "billing_policy",
        "cache_control",
        "container",
        "context_management",
        "fallbacks",
        "inference_geo",
        "mcp_servers",
        "speed",
        "tools",
    }
)
# What of a tool bears on the cost of a request.
_COSTLY_IN_TOOLS: Final = frozenset({"cache_control", "max_uses", "type"})


class Accepted:
    """A body that may go on to pricing and limits."""

    __slots__ = ("factors", "further_models", "max_tokens", "model", "options", "stream", "tool_types")

    def __init__(
        self,
        model: str,
        stream: bool,
        max_tokens: int | None,
        options: ServiceOptions,
        further_models: tuple[str, ...] = (),
        tool_types: tuple[str, ...] = (),
        factors: CostFactors | None = None,
    ) -> None:
        self.model = model
        self.stream = stream
        self.max_tokens = max_tokens
        self.options = options
        # Models the upstream may also run for this request: fallbacks and advisors. Each needs a price.
        self.further_models = further_models
        # Types of server tools, some of which have a price that no answer reports.
        self.tool_types = tool_types
        # What bears on its cost; None where the body has to be decoded for it.
        self.factors = factors

    def with_options(self, options: ServiceOptions) -> "Accepted":
        """The same, asked for with other options."""
        return Accepted(
            self.model, self.stream, self.max_tokens, options, self.further_models, self.tool_types, self.factors
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Accepted) and self._asked() == other._asked()

    def __hash__(self) -> int:
        return hash(self._asked())

    def __repr__(self) -> str:
        return f"Accepted{self._asked()!r}"

    def _asked(self) -> tuple[Any, ...]:
        return (self.model, self.stream, self.max_tokens, self.options, self.further_models, self.tool_types)


@dataclass(frozen=True, slots=True)
class Refused:
    """A body that is not forwarded; always an `invalid_request_error`, status 400."""

    message: str


def read_request(body: bytes) -> Accepted | Refused:
    """Reads the body of `/v1/messages` or `/v1/messages/count_tokens`."""
    try:
        return _read(body)
    except Refusal as refusal:
        return Refused(str(refusal))


def _read(body: bytes) -> Accepted:
    return accepted_in(body, object_members(body, "the request body"))


def accepted_in(body: bytes, members: Members, limits: tuple[str, ...] = ("max_tokens",)) -> Accepted:
    """Reads the members of a body; `limits` are the keys that may bound an answer. Raises Refusal."""
    factors = refuse_shared_state(body, members)
    model = _model(members, "model")
    if _RARE.isdisjoint(members):
        return Accepted(model, _stream(members), _bound(members, limits), ORDINARY, (), (), factors)
    fallback_models = _fallback_models(members)
    tool_types, advisor_models, have_a_cost = _tools(members)
    _refuse_another_payer(members)
    if factors is not None:
        add_rest(factors, members, with_tools=have_a_cost)
    further = tuple(dict.fromkeys((*fallback_models, *advisor_models)))
    return Accepted(
        model,
        _stream(members),
        _bound(members, limits),
        service_options(speed=_option(members, "speed"), inference_geo=_option(members, "inference_geo")),
        further,
        tool_types,
        factors,
    )


def _model(members: Members, place: str) -> str:
    if "model" not in members:
        raise Refusal(f"{place}: Field required")
    model = value_of(members, "model")
    if not isinstance(model, str):
        raise Refusal(f"{place}: must be a string")
    # Nearly every id is of letters, digits and hyphens, which is told in a fraction of the time.
    is_common = model.isascii() and len(model) <= _MODEL_CHARS_MAX and model.replace("-", "").isalnum()
    if not is_common and not _MODEL.fullmatch(model):
        raise Refusal(f"{place}: does not have the form of a model id")
    return model


def _stream(members: Members) -> bool:
    stream = value_of(members, "stream")
    if stream is not None and not isinstance(stream, bool):
        raise Refusal("stream: must be true or false")
    return bool(stream)


def _bound(members: Members, limits: tuple[str, ...]) -> int | None:
    bound: int | None = None
    for key in limits:
        most = _max_tokens(members, key)
        if most is not None and (bound is None or most > bound):
            bound = most
    return bound


def _max_tokens(members: Members, key: str) -> int | None:
    max_tokens = value_of(members, key)
    if max_tokens is None:
        return None
    if type(max_tokens) is not int or max_tokens < 0:
        raise Refusal(f"{key}: must be a whole number, zero or more")
    return max_tokens


def _option(members: Members, key: str) -> str | None:
    option = value_of(members, key)
    if option is None:
        return None
    if not isinstance(option, str) or not _OPTION.fullmatch(option):
        raise Refusal(f"{key}: must be the name of an option")
    return option


def _refuse_another_payer(members: Members) -> None:
    policy = value_of(members, "billing_policy")
    if policy is not None and not (isinstance(policy, dict) and policy.get("bill_to", "self") in (None, "self")):
        raise Refusal("billing_policy: a request is paid from the balance of its API key only")


def _fallback_models(members: Members) -> tuple[str, ...]:
    raw = members.get("fallbacks")
    # "default" lets the upstream choose; what it chose is priced by what the answer reports.
    if raw is None or first_byte(raw) == ord('"'):
        return ()
    fallbacks = objects_of(members, "fallbacks", "an entry of fallbacks")
    return tuple(_model(fallback, "fallbacks: model") for fallback in fallbacks)


def _tools(members: Members) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Types of tools and models of advisors; and whether a tool bears on the cost by anything but its length."""
    types: dict[str, None] = {}
    models: dict[str, None] = {}
    have_a_cost = False
    for tool in objects_of(members, "tools", "an entry of tools"):
        if _COSTLY_IN_TOOLS.isdisjoint(tool):
            continue
        have_a_cost = True
        kind = value_of(tool, "type")
        if kind is None or kind == "custom":
            continue
        if not isinstance(kind, str) or not _TOOL_TYPE.fullmatch(kind):
            raise Refusal("tools: type must be the name of a tool type")
        types[kind] = None
        if kind.startswith("advisor_"):
            models[_model(tool, "tools: model")] = None
    return tuple(types), tuple(models), have_a_cost
