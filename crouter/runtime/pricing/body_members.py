"""What is decoded of a request's body to bound its cost.

Apart from `most`, because that module may be compiled, and a Struct is made by the interpreter.
"""

from typing import Final

import msgspec

_ABSENT: Final = msgspec.Raw(b"")


class CacheControl(msgspec.Struct, gc=False):
    ttl: str | None = None


class Source(msgspec.Struct, gc=False):
    type: str | None = None


class ImageUrl(msgspec.Struct, gc=False):
    url: str | None = None


class Block(msgspec.Struct):
    type: str | None = None
    source: Source | None = None
    # Of a chat completion, where Anthropic's own form has `source`.
    image_url: ImageUrl | None = None
    cache_control: CacheControl | None = None
    content: "str | list[Block] | Block | None" = None


class Message(msgspec.Struct):
    content: str | list[Block] | None = None


class Tool(msgspec.Struct):
    type: str | None = None
    max_uses: int | None = None
    cache_control: CacheControl | None = None


class Edit(msgspec.Struct, gc=False):
    type: str | None = None


class ContextManagement(msgspec.Struct):
    edits: list[Edit] | None = None


class Body(msgspec.Struct):
    system: str | list[Block] | None = None
    messages: list[Message] = []
    tools: list[Tool] | None = None
    cache_control: CacheControl | None = None
    # Undecoded, and empty where absent: a union of such a value and null takes nothing but null.
    mcp_servers: msgspec.Raw = _ABSENT
    container: msgspec.Raw = _ABSENT
    fallbacks: msgspec.Raw = _ABSENT
    context_management: ContextManagement | None = None


decode_body = msgspec.json.Decoder(Body).decode
