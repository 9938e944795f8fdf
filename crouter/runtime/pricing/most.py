"""The most that a request can cost, in nanodollars, known before it is forwarded: what is reserved for it.

A token of text stands for at least one byte of the body, so that the body's length bounds what is read; what is written
is bound by `max_tokens`. Pictures count for more than their bytes may say. What can bring in more than the body holds -
documents, things behind an address or a file id, tools that the upstream runs - is bound by the model's context window.
The body is judged as the upstream reads it, decoded: an escaped name is the same name. What cannot be judged costs
the most.

A loop of server tools reads its prompt again with each turn; here that is bound as one full window. What an upstream
reports beyond the bound is charged as reported.
"""

from datetime import datetime
from typing import Final

import msgspec

from crouter.runtime.pricing.body_members import (
    Block,
    CacheControl,
    ContextManagement,
    ImageUrl,
    Tool,
    decode_body,
)
from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.pricing.rates import Price, Rate
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions
from crouter.runtime.proxy.request import Accepted

WINDOW_TOKENS: Final = 1_000_000
"""The longest context window of any model."""
OUTPUT_TOKENS_MAX: Final = 128_000
"""The most that a model writes where a request does not say."""
IMAGE_TOKENS_MAX: Final = 5_000
"""The most that one picture counts for, after the upstream has scaled it down."""
OVERHEAD_TOKENS: Final = 4_096
"""What the upstream adds by itself: instructions for tools, separators."""
SEARCHES_MAX: Final = 20
"""How often a web search tool is used where its `max_uses` does not say."""

# Tools that the client runs: what they bring in is in the body of the next request.
_DEFINED_BY_THE_CLIENT: Final = frozenset({"custom", "function"})
_RUN_BY_THE_CLIENT: Final = ("bash_", "text_editor_", "computer_", "memory_")
_WEB_SEARCH: Final = "web_search_"
# Edits of the context by which it only becomes shorter.
_CLEARING: Final = "clear_"
_NOTHING: Final = (b"", b"null")


class _Reading:
    """What of a body has an influence on the bound."""

    __slots__ = ("any_model", "images", "opens", "rounds", "searches", "writes_1h", "writes_5m")

    def __init__(self) -> None:
        self.images = 0
        self.rounds = 1
        self.searches = 0
        self.opens = False
        self.writes_5m = False
        self.writes_1h = False
        self.any_model = False

    @classmethod
    def of(cls, body: bytes) -> "_Reading":
        reading = cls()
        try:
            decoded = decode_body(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            reading.opens = reading.writes_1h = reading.any_model = True
            reading.searches = SEARCHES_MAX
            return reading
        reading._cache(decoded.cache_control)
        reading._content(decoded.system)
        for message in decoded.messages:
            if not isinstance(message.content, str):
                reading._content(message.content)
        for tool in decoded.tools or ():
            reading._tool(tool)
        if bytes(decoded.mcp_servers) not in _NOTHING or bytes(decoded.container) not in _NOTHING:
            reading.opens = True
        if decoded.context_management is not None:
            reading._manage(decoded.context_management)
        reading.any_model = bytes(memoryview(decoded.fallbacks)[:1]) == b'"'
        return reading

    def _content(self, content: "str | list[Block] | Block | None") -> None:
        if content is None or isinstance(content, str):
            return
        for block in content if isinstance(content, list) else (content,):
            self._block(block)

    def _block(self, block: Block) -> None:
        if block.cache_control is not None:
            self._cache(block.cache_control)
        kind = block.type
        if kind == "image":
            self.images += 1
        elif kind == "image_url":
            self.images += 1
            self.opens = self.opens or not _is_in_the_body(block.image_url)
        elif kind not in _PLAIN:
            self.opens = True
        if block.source is not None and block.source.type not in _IN_THE_BODY:
            self.opens = True
        if block.content is not None:
            self._content(block.content)

    def _tool(self, tool: Tool) -> None:
        self._cache(tool.cache_control)
        if tool.type is None or tool.type in _DEFINED_BY_THE_CLIENT or tool.type.startswith(_RUN_BY_THE_CLIENT):
            return
        self.opens = True
        if tool.type.startswith(_WEB_SEARCH):
            self.searches += SEARCHES_MAX if tool.max_uses is None else max(0, tool.max_uses)

    def _manage(self, management: ContextManagement) -> None:
        # Clearing leaves out what the body holds. Anything else may read the prompt once more, to sum it up.
        self.rounds += sum(not (edit.type or "").startswith(_CLEARING) for edit in management.edits or ())

    def _cache(self, cache: CacheControl | None) -> None:
        if cache is not None:
            self.writes_5m = True
            # Any lifetime that is not the short one counts as the dear one.
            self.writes_1h = self.writes_1h or cache.ttl not in (None, "5m")


# Blocks that count for their own bytes at most.
_PLAIN: Final = frozenset({None, "text", "thinking", "redacted_thinking", "tool_use", "tool_result", "server_tool_use"})
_IN_THE_BODY: Final = frozenset({None, "base64", "text", "content"})


def _is_in_the_body(image: ImageUrl | None) -> bool:
    return image is not None and image.url is not None and image.url.startswith("data:image/")


def most_it_can_cost(accepted: Accepted, body: bytes, prices: PriceBook, at: datetime) -> int:
    """Nanodollars. Every model of the request has a price at `at`, an aware time, or it would have been refused."""
    reading = _Reading.of(body)
    tokens = WINDOW_TOKENS
    if not reading.opens:
        tokens = min(tokens, len(body) + reading.images * IMAGE_TOKENS_MAX + OVERHEAD_TOKENS)
    output = OUTPUT_TOKENS_MAX if accepted.max_tokens is None else accepted.max_tokens
    asked = [(accepted.model, accepted.options), *((model, ORDINARY) for model in accepted.further_models)]
    if reading.any_model:
        asked += [(model, ORDINARY) for model in prices.model_ids]
    costs = [_cost(prices, model, options, at, tokens, output, reading) for model, options in asked]
    # A fallback or an advisor runs beside what was asked for; of those that the upstream may choose it runs one.
    return costs[0] + max(costs) if reading.any_model else sum(costs)


def _cost(
    prices: PriceBook, model: str, options: ServiceOptions, at: datetime, tokens: int, output: int, reading: _Reading
) -> int:
    price = prices.price_for(model, at, options)
    if not isinstance(price, Price):
        return 0
    # A short prompt may be dearer than its bound says only if rates fell with length.
    return max(
        reading.rounds * (tokens * _dearest(tier.rate, reading) + output * tier.rate.output)
        + reading.searches * tier.rate.web_search
        for tier in price.tiers
        if tier.above_prompt_tokens < tokens or tier is price.tiers[0]
    )


def _dearest(rate: Rate, reading: _Reading) -> int:
    """What a token that is read costs at most: written to the cache only where the request asks for it."""
    dearest = max(rate.input, rate.cache_read)
    if reading.writes_5m:
        dearest = max(dearest, rate.cache_write_5m)
    if reading.writes_1h:
        dearest = max(dearest, rate.cache_write_1h)
    return dearest
