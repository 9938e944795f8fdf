"""Scripted replies for tests: any status, any bytes, any moment, any way to break off.

simulator.script(next=Scripted.error("overloaded_error"))
simulator.script(next=Scripted.stream([b"event: mess", Wait(0.2), b"age_start\\n...", Reset()]))
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from crouter.simulator.answer import Answer
from crouter.simulator.cache import InputUsage
from crouter.simulator.encoding import encode_body
from crouter.simulator.errors import STATUS_OF, error_object
from crouter.simulator.events import encode_event, message_object, stream_events
from crouter.simulator.reply import EVENT_STREAM, JSON, Hangup, Reply, Reset, Send, Stall, Step, Wait

Headers = Mapping[str, str]
Part = bytes | Mapping[str, Any] | Step

REQUEST_ID = "req_scripted"
MODEL = "claude-haiku-4-5-20251001"


@dataclass(frozen=True)
class Scripted(Reply):
    """A reply that a test wrote. Nothing is added to its headers but framing and date."""

    @classmethod
    def raw(cls, status: int, body: bytes, headers: Headers | None = None) -> Self:
        """A body as it is."""
        return cls(status, _headers({}, headers), (Send(body),))

    @classmethod
    def json(cls, value: object, status: int = 200, headers: Headers | None = None) -> Self:
        """A JSON body."""
        return cls(status, _headers({"content-type": JSON}, headers), (Send(json.dumps(value).encode()),))

    @classmethod
    def error(cls, kind: str, message: str = "scripted", headers: Headers | None = None) -> Self:
        """An error in Anthropic's shape, with the status of its kind."""
        value = error_object(kind, message, REQUEST_ID)
        return cls.json(value, STATUS_OF[kind], {"request-id": REQUEST_ID, **(headers or {})})

    @classmethod
    def message(cls, text: str = "scripted", usage: Mapping[str, Any] | None = None) -> Self:
        """A complete message; `usage` replaces or adds keys, known or not."""
        value = message_object(*_said(text), message_id="msg_scripted", model=MODEL)
        value["usage"] |= usage or {}
        return cls.json(value, headers={"request-id": REQUEST_ID})

    @classmethod
    def stream(
        cls,
        parts: Iterable[Part],
        *,
        delay_s: float = 0.0,
        status: int = 200,
        headers: Headers | None = None,
    ) -> Self:
        """A chunked stream. Bytes go out as they are, a mapping as an event of its `type`, steps as
        steps; `delay_s` passes between any two of them."""
        steps: list[Step] = []
        for part in parts:
            if steps and delay_s:
                steps.append(Wait(delay_s))
            steps.append(_step(part))
        given = {"content-type": EVENT_STREAM, "request-id": REQUEST_ID}
        return cls(status, _headers(given, headers), tuple(steps), chunked=True)

    @classmethod
    def message_stream(
        cls,
        text: str = "scripted",
        *,
        start_usage: Mapping[str, Any] | None = None,
        delta_usage: Mapping[str, Any] | None = None,
        then: Sequence[Part] = (),
        keep: int | None = None,
        delay_s: float = 0.0,
    ) -> Self:
        """An ordinary stream with a change: other usage keys, only the first `keep` events, and
        whatever comes `then` (an `error` event, a `Reset()`, a `Stall()`)."""
        events = message_events(text, start_usage=start_usage, delta_usage=delta_usage)
        return cls.stream([*events[:keep], *then], delay_s=delay_s)

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Self:
        """A redirect, which a proxy must not follow: the key would go along."""
        return cls(status, (("location", location),), (Send(b""),))

    @classmethod
    def verbatim_http(cls, *parts: bytes | Step) -> Self:
        """The whole HTTP response written by the test, head included. The connection is closed
        after it."""
        return cls(steps=tuple(_step(part) for part in parts), verbatim=True)

    def encoded(self, coding: str) -> "Scripted":
        """The same bytes in one content coding: gzip, deflate or br. Delays are lost."""
        body = self.body
        return Scripted(
            self.status,
            (*self.headers, ("content-encoding", coding)),
            (Send(encode_body(body, coding), plain=body),),
            chunked=self.chunked,
        )

    def with_content_length(self, length: int) -> "Scripted":
        """The same reply with a content-length that need not be true; closed after the last step."""
        return Scripted(self.status, self.headers, self.steps, content_length=length)


def message_events(
    text: str = "scripted",
    *,
    start_usage: Mapping[str, Any] | None = None,
    delta_usage: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The events of a short stream, for a test to change."""
    events = list(stream_events(*_said(text), message_id="msg_scripted", model=MODEL))
    events[0]["message"]["usage"] |= start_usage or {}
    events[-2]["usage"] |= delta_usage or {}
    return events


def _said(text: str) -> tuple[Answer, InputUsage]:
    block = {"type": "text", "text": text}
    return Answer((block,), "end_turn", output_tokens=7), InputUsage(plain=11)


def _headers(given: Headers, more: Headers | None) -> tuple[tuple[str, str], ...]:
    return tuple({**given, **(more or {})}.items())


def _step(part: Part) -> Step:
    if isinstance(part, bytes):
        return Send(part)
    if isinstance(part, Send | Wait | Stall | Reset | Hangup):
        return part
    return Send(encode_event(dict(part)))
