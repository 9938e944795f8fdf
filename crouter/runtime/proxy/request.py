"""What has to be known of a request's body before it is forwarded, and what is refused for it.

The body itself is forwarded untouched; here it is only read. Unknown fields pass: the upstream judges them.
Refused is what would let us and the upstream read two different requests out of one body: text that
is no JSON, and a key given twice in the body, in a tool or in a fallback. Messages name the rule and,
at most, a model id of plausible form; nothing else of a body is ever repeated.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from crouter.runtime.proxy.options import ORDINARY, ServiceOptions, service_options
from crouter.runtime.proxy.repeated_keys import accounts_for_all

MODEL_PATTERN: Final = r"[A-Za-z0-9._:@/-]{1,128}"
_MODEL = re.compile(MODEL_PATTERN)
_OPTION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TOOL_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_LIST_MAX: Final = 10_000
# What is read further down; most requests have none of it.
_RARE: Final = frozenset({"fallbacks", "tools", "billing_policy", "speed", "inference_geo"})

_WHITESPACE = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)

_Members = dict[str, msgspec.Raw]
_decode_members = msgspec.json.Decoder(_Members).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_key = msgspec.json.Decoder(str).decode
_decode_any = msgspec.json.Decoder(Any).decode
_UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


# Not frozen: one is made for every request, and a frozen one takes several times as long to make.
@dataclass(slots=True)
class Accepted:
    """A body that may go on to pricing and limits."""

    model: str
    stream: bool
    max_tokens: int | None
    options: ServiceOptions
    # Models the upstream may also run for this request: fallbacks and advisors. Each needs a price.
    further_models: tuple[str, ...] = ()
    # Types of server tools, some of which have a price that no answer reports.
    tool_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A body that is not forwarded; always an `invalid_request_error`, status 400."""

    message: str


class _Refusal(Exception):  # noqa: N818 - it carries a decision to the one who asked for it
    """Leaves the nested checks of one body; caught in `read_request` only."""


def read_request(body: bytes) -> Accepted | Refused:
    """Reads the body of `/v1/messages` or `/v1/messages/count_tokens`."""
    try:
        return _read(body)
    except _Refusal as refusal:
        return Refused(str(refusal))


def _read(body: bytes) -> Accepted:
    members = _object(body, "the request body")
    model = _model(members, "model")
    if _RARE.isdisjoint(members):
        return Accepted(model, _stream(members), _max_tokens(members), ORDINARY)
    fallback_models = _fallback_models(members)
    tool_types, advisor_models = _tools(members)
    _refuse_another_payer(members)
    further = tuple(dict.fromkeys((*fallback_models, *advisor_models)))
    return Accepted(
        model=model,
        stream=_stream(members),
        max_tokens=_max_tokens(members),
        options=service_options(speed=_option(members, "speed"), inference_geo=_option(members, "inference_geo")),
        further_models=further,
        tool_types=tool_types,
    )


def _object(source: bytes, place: str) -> _Members:
    """The members of a JSON object, each given once.

    Decoding keeps the last of two equal keys, and another reader may keep the first. So the object is
    walked once: every member has to stand where the walk is, as the value that decoding kept. Nested
    values are stepped over whole; no more than a comparison of the bytes is spent on them.
    """
    try:
        members = _decode_members(source)
    except msgspec.ValidationError:
        raise _Refusal(f"{place} must be a JSON object") from None
    except _UNDECODABLE:
        raise _Refusal(f"{place} is not valid JSON, or nested too deeply") from None
    if not accounts_for_all(source, members) and _keys_repeat(source, members):
        raise _Refusal(f"{place} gives a key twice")
    return members


def _keys_repeat(source: bytes, members: _Members) -> bool:
    # The source has just been decoded, so that every match below succeeds on well-formed JSON.
    position = _after_whitespace(source, 0) + 1
    for _ in range(len(members)):
        position = _after_whitespace(source, position)
        key = _STRING.match(source, position)
        assert key is not None, "a decoded object has another key here"
        value = bytes(members[_decode_key(key.group())])
        position = _after_whitespace(source, key.end())
        position = _after_whitespace(source, position + 1)
        if not source.startswith(value, position):
            return True
        position = _after_whitespace(source, position + len(value)) + 1
        # A number may begin like another one; what follows tells them apart.
        if source[position - 1] not in b",}":
            return True
    # After as many members as there are different keys, the object has to be over.
    return bool(members) and source[position - 1] != ord("}")


def _after_whitespace(source: bytes, position: int) -> int:
    match = _WHITESPACE.match(source, position)
    assert match is not None, "the pattern matches nothing, too"
    return match.end()


def _value(members: _Members, key: str) -> Any:
    raw = members.get(key)
    if raw is None:
        return None
    try:
        return _decode_any(raw)
    except _UNDECODABLE:
        raise _Refusal(f"{key}: not valid JSON") from None


def _model(members: _Members, place: str) -> str:
    if "model" not in members:
        raise _Refusal(f"{place}: Field required")
    model = _value(members, "model")
    if not isinstance(model, str):
        raise _Refusal(f"{place}: must be a string")
    if not _MODEL.fullmatch(model):
        raise _Refusal(f"{place}: does not have the form of a model id")
    return model


def _stream(members: _Members) -> bool:
    stream = _value(members, "stream")
    if stream is not None and not isinstance(stream, bool):
        raise _Refusal("stream: must be true or false")
    return bool(stream)


def _max_tokens(members: _Members) -> int | None:
    max_tokens = _value(members, "max_tokens")
    if max_tokens is None:
        return None
    if type(max_tokens) is not int or max_tokens < 0:
        raise _Refusal("max_tokens: must be a whole number, zero or more")
    return max_tokens


def _option(members: _Members, key: str) -> str | None:
    option = _value(members, key)
    if option is None:
        return None
    if not isinstance(option, str) or not _OPTION.fullmatch(option):
        raise _Refusal(f"{key}: must be the name of an option")
    return option


def _refuse_another_payer(members: _Members) -> None:
    policy = _value(members, "billing_policy")
    if policy is not None and not (isinstance(policy, dict) and policy.get("bill_to", "self") in (None, "self")):
        raise _Refusal("billing_policy: a request is paid from the balance of its API key only")


def _items(members: _Members, key: str) -> list[msgspec.Raw]:
    raw = members.get(key)
    if raw is None or bytes(memoryview(raw)[:4]) == b"null":
        return []
    try:
        items = _decode_list(raw)
    except _UNDECODABLE:
        raise _Refusal(f"{key}: must be a list") from None
    if len(items) > _LIST_MAX:
        raise _Refusal(f"{key}: more than {_LIST_MAX} entries")
    return items


def _fallback_models(members: _Members) -> tuple[str, ...]:
    raw = members.get("fallbacks")
    # "default" lets the upstream choose; what it chose is priced by what the answer reports.
    if raw is None or bytes(memoryview(raw)[:1]) == b'"':
        return ()
    return tuple(
        _model(_object(bytes(entry), "an entry of fallbacks"), "fallbacks: model")
        for entry in _items(members, "fallbacks")
    )


def _tools(members: _Members) -> tuple[tuple[str, ...], tuple[str, ...]]:
    types: dict[str, None] = {}
    models: dict[str, None] = {}
    for entry in _items(members, "tools"):
        tool = _object(bytes(entry), "an entry of tools")
        kind = _value(tool, "type")
        if kind is None or kind == "custom":
            continue
        if not isinstance(kind, str) or not _TOOL_TYPE.fullmatch(kind):
            raise _Refusal("tools: type must be the name of a tool type")
        types[kind] = None
        if kind.startswith("advisor_"):
            models[_model(tool, "tools: model")] = None
    return tuple(types), tuple(models)
