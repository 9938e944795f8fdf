"""A workload's request as each peer wants it: as Anthropic's clients send it, or in OpenAI's shape. No I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.proxying.traffic import Workload


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a peer takes requests. `openai_model` is set for a peer that knows no Messages API."""

    path: str = "/v1/messages"
    headers: Mapping[str, str] = field(default_factory=dict)
    openai_model: str | None = None
    keeps_bytes: bool = True
    """Whether bodies have to come through as they were sent, in both directions."""

    def request(self, workload: Workload, port: int, key: str) -> bytes:
        """The whole request as bytes."""
        body = workload.body if self.openai_model is None else _openai(workload, self.openai_model)
        headers = {
            "Host": f"127.0.0.1:{port}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "crouter-bench",
            "Anthropic-Version": "2023-06-01",
            "X-Api-Key": key,
            **self.headers,
            "Content-Length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body


def said(content: bytes) -> str:
    """The text that a body says, JSON or events, in Anthropic's or OpenAI's shape. Raises ValueError, KeyError."""
    if content.lstrip().startswith(b"{"):
        return _said_whole(json.loads(content))
    lines = (line.removeprefix(b"data:").strip() for line in content.splitlines() if line.startswith(b"data:"))
    return "".join(_said_event(json.loads(line)) for line in lines if line != b"[DONE]")


def _openai(workload: Workload, model: str) -> bytes:
    body = json.loads(workload.body)
    messages = [{"role": "system", "content": body["system"]}, *body["messages"]]
    wanted = {"model": model, "max_tokens": body["max_tokens"], "stream": body["stream"], "messages": messages}
    return json.dumps(wanted).encode()


def _said_whole(body: dict[str, Any]) -> str:
    if "choices" in body:
        return str(body["choices"][0]["message"]["content"])
    return "".join(block["text"] for block in body["content"])


def _said_event(event: dict[str, Any]) -> str:
    if "choices" in event:
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    return str(event.get("delta", {}).get("text", ""))
