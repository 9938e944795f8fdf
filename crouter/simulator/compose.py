"""From a request to the reply that is played: the ordinary answer, or the fault asked for.

Does no I/O and reads no clock; how long the reply takes is written into its steps.
"""

import json
from collections.abc import Iterator

from crouter.simulator.answer import Answer, answer_to, identifier
from crouter.simulator.cache import InputUsage
from crouter.simulator.errors import Refusal, error_object
from crouter.simulator.events import encode_event, message_object, ping_event, stream_events
from crouter.simulator.reply import EVENT_STREAM, JSON, Reply, Reset, Send, Step, Wait
from crouter.simulator.request import Json, MessagesRequest
from crouter.simulator.steering import ERRORS, Steering

PING_S = 1.0
RETRY_AFTER_S = 2

Headers = tuple[tuple[str, str], ...]


def json_reply(value: object, headers: Headers = (), status: int = 200) -> Reply:
    """A JSON body with its headers."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Reply(status, (("content-type", JSON), *headers), (Send(body),))


def refusal_reply(refusal: Refusal, request_id: str, headers: Headers = ()) -> Reply:
    """An error response in Anthropic's shape."""
    if refusal.kind == "rate_limit_error":
        headers = (*headers, ("retry-after", str(RETRY_AFTER_S)))
    value = error_object(refusal.kind, refusal.message, request_id)
    return json_reply(value, headers, refusal.status)


def message_reply(
    request: MessagesRequest,
    steering: Steering,
    inputs: InputUsage,
    *,
    request_id: str,
    pace_s: float,
    headers: Headers = (),
) -> Reply:
    """The reply to a request that is in order; `pace_s` passes before each delta of a stream."""
    if steering.error:
        return refusal_reply(steering.error, request_id, headers)
    if steering.stream_error and not request.stream:
        return refusal_reply(ERRORS["overloaded"], request_id, headers)
    total = inputs.plain + inputs.write + inputs.read
    answer = answer_to(request, steering, seed=request_id, input_tokens=total)
    if request.stream:
        steps = tuple(_stream_steps(request, steering, answer, inputs, request_id, pace_s))
        return Reply(200, (("content-type", EVENT_STREAM), *headers), steps, chunked=True)
    value = _with_context_management(
        message_object(answer, inputs, message_id=identifier("msg", request_id), model=request.model),
        request,
    )
    whole = json_reply(value, headers)
    steps = whole.steps
    if steering.disconnect:
        half = whole.body[: len(whole.body) // 2]
        steps = (Send(half), Reset())
    if steering.slow_s:
        steps = (Wait(steering.slow_s), *steps)
    # The declared length stays true to the whole message: the reset is what breaks the promise.
    length = len(whole.body) if steering.disconnect else None
    return Reply(200, whole.headers, steps, content_length=length)


def _stream_steps(
    request: MessagesRequest,
    steering: Steering,
    answer: Answer,
    inputs: InputUsage,
    request_id: str,
    pace_s: float,
) -> Iterator[Step]:
    message_id = identifier("msg", request_id)
    events = list(stream_events(answer, inputs, message_id=message_id, model=request.model))
    middle = len(events) // 2
    for number, event in enumerate(events):
        if number == 1:
            yield from _pings(steering.slow_s)
        if number == middle and steering.stream_error:
            overloaded = ERRORS["overloaded"]
            error = error_object(overloaded.kind, overloaded.message, request_id)
            yield Send(encode_event(error))
            return
        if number == middle and steering.disconnect:
            yield Reset()
            return
        if event["type"] == "content_block_delta" and pace_s:
            yield Wait(pace_s)
        if event["type"] == "message_delta":
            event = _with_context_management(event, request)
        yield Send(encode_event(event))


def _with_context_management(value: Json, request: MessagesRequest) -> Json:
    """A request that asks for context edits is told that none was needed."""
    if not request.asks_context_management:
        return value
    return value | {"context_management": {"applied_edits": []}}


def _pings(seconds: float) -> Iterator[Step]:
    while seconds > 0:
        yield Send(encode_event(ping_event()))
        yield Wait(min(PING_S, seconds))
        seconds -= PING_S
