"""Chat completions in OpenAI's form, as Anthropic's compatibility endpoint answers them. Does no I/O.

The request is turned into one of the Messages API and answered by the same simulated model. Usage is told at the end of
a stream only if `stream_options.include_usage` asks for it.
"""

import json
from collections.abc import Iterator

from crouter.simulator.answer import Answer, answer_to, identifier
from crouter.simulator.cache import InputUsage
from crouter.simulator.compose import Headers, json_reply, refusal_reply
from crouter.simulator.errors import Refusal, error_object
from crouter.simulator.reply import EVENT_STREAM, Reply, Reset, Send, Step, Wait
from crouter.simulator.request import Json, MessagesRequest, read_request
from crouter.simulator.steering import ERRORS, Steering

DEFAULT_MAX_TOKENS = 4096
CREATED = 1_767_225_600
WORDS_PER_CHUNK = 3


def read_completion(body: bytes) -> tuple[MessagesRequest, bool] | Refusal:
    """The request as one of the Messages API, and whether a stream is to tell its usage."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal("invalid_request_error", "The request body is not valid JSON")
    if not isinstance(fields, dict) or not isinstance(fields.get("messages"), list):
        return Refusal("invalid_request_error", "messages: Field required")
    asked = {
        "model": fields.get("model"),
        "max_tokens": fields.get("max_completion_tokens") or fields.get("max_tokens") or DEFAULT_MAX_TOKENS,
        "stream": fields.get("stream") is True,
        "messages": [message for message in fields["messages"] if message.get("role") in ("user", "assistant")],
    }
    request = read_request(json.dumps(asked).encode())
    options = fields.get("stream_options") or {}
    return request if isinstance(request, Refusal) else (request, options.get("include_usage") is True)


def completion_reply(
    request: MessagesRequest,
    steering: Steering,
    inputs: InputUsage,
    *,
    tells_usage: bool,
    request_id: str,
    headers: Headers = (),
) -> Reply:
    """The reply to a request that is in order."""
    if steering.error:
        return refusal_reply(steering.error, request_id, headers)
    answer = answer_to(request, steering, seed=request_id, input_tokens=_prompt(inputs))
    if request.stream:
        steps = tuple(_steps(request, steering, answer, inputs, tells_usage, request_id))
        return Reply(200, (("content-type", EVENT_STREAM), *headers), steps, chunked=True)
    choice = {"index": 0, "message": {"role": "assistant", "content": _words(answer)}, "finish_reason": "stop"}
    value = _frame("chat.completion", request, request_id) | {"choices": [choice], "usage": _usage(answer, inputs)}
    return json_reply(value, headers)


def _steps(
    request: MessagesRequest,
    steering: Steering,
    answer: Answer,
    inputs: InputUsage,
    tells_usage: bool,
    request_id: str,
) -> Iterator[Step]:
    frame = _frame("chat.completion.chunk", request, request_id)
    quiet: Json = {"usage": None} if tells_usage else {}
    words = _words(answer).split(" ")
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [
        {"content": " ".join(words[at : at + WORDS_PER_CHUNK]) + (" " if at + WORDS_PER_CHUNK < len(words) else "")}
        for at in range(0, len(words), WORDS_PER_CHUNK)
    ]
    if steering.slow_s:
        yield Wait(steering.slow_s)
    for number, delta in enumerate(deltas):
        if number == 1 and steering.disconnect:
            yield Reset()
            return
        if number == 1 and steering.stream_error:
            overloaded = ERRORS["overloaded"]
            yield _event(error_object(overloaded.kind, overloaded.message, request_id))
            return
        yield _event(frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} | quiet)
    yield _event(frame | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]} | quiet)
    if tells_usage:
        yield _event(frame | {"choices": [], "usage": _usage(answer, inputs)})
    yield Send(b"data: [DONE]\n\n")


def _frame(kind: str, request: MessagesRequest, request_id: str) -> Json:
    return {"id": identifier("chatcmpl", request_id), "object": kind, "created": CREATED, "model": request.model}


def _usage(answer: Answer, inputs: InputUsage) -> Json:
    read, written = _prompt(inputs), answer.output_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _prompt(inputs: InputUsage) -> int:
    return inputs.plain + inputs.write + inputs.read


def _words(answer: Answer) -> str:
    return "".join(block["text"] for block in answer.blocks if block["type"] == "text")


def _event(value: Json) -> Send:
    return Send(b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n")
