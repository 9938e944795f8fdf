"""What is decoded of a request's body to bound its cost, and to tell whether it names files.

In two forms: what bears on the cost, beside whatever else there is; and what is usual, beside nothing else. Apart from
what uses them, because that may be compiled, and a Struct is made by the interpreter. Nothing that is decoded can hold
itself, so that the collector need not look at it.
"""

from typing import Final, Literal

import msgspec

ABSENT: Final = msgspec.Raw(b"")


class CacheControl(msgspec.Struct, gc=False):
    ttl: str | None = None


class Source(msgspec.Struct, gc=False):
    type: str | None = None


class ImageUrl(msgspec.Struct, gc=False):
    url: str | None = None


class Block(msgspec.Struct, gc=False):
    """A part of a message, or of the system text."""

    type: str | None = None
    source: Source | None = None
    # Of a chat completion, where Anthropic's own form has `source`.
    image_url: ImageUrl | None = None
    cache_control: CacheControl | None = None
    content: "str | list[Block] | Block | None" = None


class Message(msgspec.Struct, gc=False):
    content: str | list[Block] | None = None


class Tool(msgspec.Struct, gc=False):
    type: str | None = None
    max_uses: int | None = None
    cache_control: CacheControl | None = None


class Edit(msgspec.Struct, gc=False):
    type: str | None = None


class ContextManagement(msgspec.Struct, gc=False):
    edits: list[Edit] | None = None


class Body(msgspec.Struct, gc=False):
    """A whole request."""

    system: str | list[Block] | None = None
    messages: list[Message] = []
    tools: list[Tool] | None = None
    cache_control: CacheControl | None = None
    # Undecoded, and empty where absent: a union of such a value and null takes nothing but null.
    mcp_servers: msgspec.Raw = ABSENT
    container: msgspec.Raw = ABSENT
    fallbacks: msgspec.Raw = ABSENT
    context_management: ContextManagement | None = None


# Usual members only, in their usual order, which is found quickest. Each time that a member is given, its value has to
# be of a type in which nothing else can stand; but for the input of a tool, which is free JSON.


class UsualCacheControl(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: str | None = None
    ttl: str | None = None


class UsualSource(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: str | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class UsualImageUrl(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    url: str | None = None
    detail: str | None = None


class UsualCitation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Where a text of an answer is from, in whichever way; what the client sends back of it."""

    type: str | None = None
    cited_text: str | None = None
    url: str | None = None
    title: str | None = None
    encrypted_index: str | None = None
    source: str | None = None
    search_result_index: int | None = None
    document_index: int | None = None
    document_title: str | None = None
    # An answer says that there is none; nothing else may stand here.
    file_id: None = None
    start_char_index: int | None = None
    end_char_index: int | None = None
    start_page_number: int | None = None
    end_page_number: int | None = None
    start_block_index: int | None = None
    end_block_index: int | None = None


class UsualCitations(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    enabled: bool | None = None


class UsualCaller(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: str | None = None
    tool_id: str | None = None


UsualType = Literal[
    "text",
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
    "server_tool_use",
    "image",
    "image_url",
    "document",
]


class UsualBlock(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part of a message of one of the kinds that name nothing which the upstream holds."""

    tool_use_id: str | None = None
    type: UsualType | None = None
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = ABSENT
    content: "str | list[UsualBlock] | None" = None
    is_error: bool | None = None
    cache_control: UsualCacheControl | None = None
    thinking: str | None = None
    signature: str | None = None
    source: UsualSource | None = None
    image_url: UsualImageUrl | None = None
    data: str | None = None
    title: str | None = None
    context: str | None = None
    citations: list[UsualCitation] | UsualCitations | None = None
    caller: UsualCaller | None = None


class UsualFunction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str | None = None
    arguments: str | None = None


class UsualCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str | None = None
    type: str | None = None
    function: UsualFunction | None = None


class UsualMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One turn."""

    role: str | None = None
    content: str | list[UsualBlock] | None = None
    # Of a chat completion.
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[UsualCall] | None = None


decode_body = msgspec.json.Decoder(Body).decode
decode_tools = msgspec.json.Decoder(list[Tool] | None).decode
decode_cache_control = msgspec.json.Decoder(CacheControl | None).decode
decode_context_management = msgspec.json.Decoder(ContextManagement | None).decode
decode_usual_system = msgspec.json.Decoder(str | list[UsualBlock] | None).decode
decode_usual_messages = msgspec.json.Decoder(list[UsualMessage]).decode
