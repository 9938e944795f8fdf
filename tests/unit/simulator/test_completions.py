"""Chat completions of the simulator have the form that clients of OpenAI's API read."""

import json
from typing import Any

import pytest

from crouter.simulator.cache import InputUsage
from crouter.simulator.completions import completion_reply, read_completion
from crouter.simulator.errors import Refusal
from crouter.simulator.steering import Steering


def reply_to(**more: Any) -> bytes:
    asked = {"model": "m", "messages": [{"role": "user", "content": "one two three four"}], **more}
    read = read_completion(json.dumps(asked).encode())
    assert not isinstance(read, Refusal)
    request, tells_usage = read
    reply = completion_reply(
        request, Steering(echo=True), InputUsage(plain=11), tells_usage=tells_usage, request_id="r"
    )
    return reply.body


def chunks_of(body: bytes) -> list[dict[str, Any]]:
    *events, done, _ = body.decode().split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_a_whole_answer_tells_its_usage() -> None:
    answer = json.loads(reply_to())
    assert answer["choices"][0]["message"]["content"] == "one two three four"
    assert answer["usage"]["total_tokens"] == 11 + answer["usage"]["completion_tokens"]


def test_a_stream_tells_its_usage_only_when_it_is_asked_to() -> None:
    quiet = chunks_of(reply_to(stream=True))
    assert all("usage" not in chunk for chunk in quiet)
    asked = chunks_of(reply_to(stream=True, stream_options={"include_usage": True}))
    assert [chunk["usage"] for chunk in asked[:-1]] == [None] * (len(asked) - 1)
    assert (asked[-1]["choices"], asked[-1]["usage"]["prompt_tokens"]) == ([], 11)
    for chunks in (quiet, asked):
        said = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]]
        assert "".join(said) == "one two three four"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages":7}', b'{"messages":[],"model":"m"}'])
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    assert isinstance(read_completion(body), Refusal)
