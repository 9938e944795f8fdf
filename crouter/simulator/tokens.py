"""Token counts that depend on nothing but the request: four bytes of UTF-8 are one token.

Not the real tokenizer and not meant to be close to it; the same request always counts the same.
"""

import json
from collections.abc import Iterator

from crouter.simulator.request import Json, MessagesRequest

BYTES_PER_TOKEN = 4
TOKENS_PER_IMAGE = 1_500
TOKENS_PER_DOCUMENT_PAGE = 1_500
TOKENS_PER_MESSAGE = 3


def text_tokens(text: str) -> int:
    """Tokens of a text, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def canonical(value: object) -> str:
    """JSON that is equal for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def block_tokens(block: Json) -> int:
    """Tokens of one content block. Pictures and documents cost a fixed number, not their bytes."""
    kind = block.get("type")
    text = block.get("text")
    if kind == "text" and isinstance(text, str):
        return text_tokens(text)
    if kind == "image":
        return TOKENS_PER_IMAGE
    if kind == "document":
        return TOKENS_PER_DOCUMENT_PAGE
    content = block.get("content")
    if kind == "tool_result" and isinstance(content, list):
        return sum(block_tokens(part) for part in content if isinstance(part, dict))
    return text_tokens(canonical(without_cache_mark(block)))


def without_cache_mark(block: Json) -> Json:
    """The block as the model would see it: a cache mark is no content."""
    return {name: value for name, value in block.items() if name != "cache_control"}


def prompt_parts(request: MessagesRequest) -> Iterator[tuple[Json, int]]:
    """Tools, system blocks and message blocks in the order in which a prompt is read, with tokens."""
    for tool in request.tools:
        yield tool, text_tokens(canonical(without_cache_mark(tool)))
    for block in request.system:
        yield block, block_tokens(block)
    for message in request.messages:
        for place, block in enumerate(message["content"]):
            tokens = block_tokens(block) + (TOKENS_PER_MESSAGE if place == 0 else 0)
            yield {"role": message["role"]} | block, tokens


def prompt_tokens(request: MessagesRequest) -> int:
    """All input tokens, cached or not: what `count_tokens` answers."""
    return max(1, sum(tokens for _, tokens in prompt_parts(request)))
