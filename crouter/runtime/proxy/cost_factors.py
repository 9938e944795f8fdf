"""What of a request's body bears on the most that it can cost, beside its length and its bounds. Does no I/O.

The body is judged as the upstream reads it, decoded: an escaped name is the same name. What cannot be judged costs
the most. What it comes to in money is for `pricing`.
"""

from typing import Final, TypeAlias

from crouter.runtime.proxy.body_members import (
    ABSENT,
    Block,
    Body,
    CacheControl,
    ContextManagement,
    ImageUrl,
    Tool,
    UsualBlock,
    UsualCacheControl,
    UsualImageUrl,
    decode_body,
    decode_cache_control,
    decode_context_management,
    decode_tools,
)
from crouter.runtime.proxy.members import UNDECODABLE, Members, first_byte

SEARCHES_MAX: Final = 20
"""How often a web search tool is used where its `max_uses` does not say."""

Content: TypeAlias = str | list[Block] | Block | None

# Blocks that count for their own bytes at most.
_PLAIN: Final = frozenset({None, "text", "thinking", "redacted_thinking", "tool_use", "tool_result", "server_tool_use"})
_IN_THE_BODY: Final = frozenset({None, "base64", "text", "content"})
# Tools that the client runs: what they bring in is in the body of the next request.
_DEFINED_BY_THE_CLIENT: Final = frozenset({"custom", "function"})
_RUN_BY_THE_CLIENT: Final = ("bash_", "text_editor_", "computer_", "memory_")
_WEB_SEARCH: Final = "web_search_"
# Edits of the context by which it only becomes shorter.
_CLEARING: Final = "clear_"
_NOTHING: Final = (b"", b"null")
_QUOTE: Final = ord('"')


class CostFactors:
    """At first those of a text: its bytes bound it. Whatever is added makes the bound higher or leaves it."""

    __slots__ = ("any_model", "images", "opens", "rounds", "searches", "writes_1h", "writes_5m")

    def __init__(self) -> None:
        self.images = 0
        # How often the prompt is read and an answer written.
        self.rounds = 1
        self.searches = 0
        # Whether more than the body holds may be read.
        self.opens = False
        self.writes_5m = False
        self.writes_1h = False
        # Whether the upstream may choose any model beside those that were asked for.
        self.any_model = False

    def become_unknown(self) -> None:
        """Those of what cannot be judged, whatever was added before."""
        self.images = 0
        self.rounds = 1
        self.searches = SEARCHES_MAX
        self.writes_5m = False
        self.opens = self.writes_1h = self.any_model = True

    def add_content(self, content: Content) -> None:
        """A system text, or what a message or a block holds."""
        if isinstance(content, list):
            for block in content:
                self.add_block(block)
        elif content is not None and not isinstance(content, str):
            self.add_block(content)

    def add_block(self, block: Block) -> None:
        """A part of a message, with all that it holds."""
        self.add_part(block)
        self.add_content(block.content)

    def add_part(self, block: Block | UsualBlock) -> None:
        """A part of a message, without what it holds in turn."""
        cache = block.cache_control
        if cache is not None:
            self.add_cache(cache)
        kind = block.type
        if kind not in _PLAIN:
            self._add_kind(kind, block.image_url)
        source = block.source
        if source is not None and source.type not in _IN_THE_BODY:
            self.opens = True

    def add_tool(self, tool: Tool) -> None:
        """A tool that the model may use."""
        self.add_cache(tool.cache_control)
        kind = tool.type
        if kind is None or kind in _DEFINED_BY_THE_CLIENT or kind.startswith(_RUN_BY_THE_CLIENT):
            return
        self.opens = True
        if kind.startswith(_WEB_SEARCH):
            uses = tool.max_uses
            self.searches += SEARCHES_MAX if uses is None else max(0, uses)

    def add_cache(self, cache: CacheControl | UsualCacheControl | None) -> None:
        """A wish that something be written to the cache."""
        if cache is not None:
            self.writes_5m = True
            # Any lifetime that is not the short one counts as the dear one.
            if cache.ttl is not None and cache.ttl != "5m":
                self.writes_1h = True

    def add_management(self, management: ContextManagement | None) -> None:
        """Edits of the context. Clearing leaves out what the body holds; others may read the prompt to sum it up."""
        if management is not None:
            for edit in management.edits or ():
                if edit.type is None or not edit.type.startswith(_CLEARING):
                    self.rounds += 1

    def add_servers(self, servers: bytes) -> None:
        """Whatever the upstream runs or asks for this request, undecoded; empty if there is nothing."""
        if servers not in _NOTHING:
            self.opens = True

    def add_fallbacks(self, start: int) -> None:
        """Fallbacks, by their first byte: models that are named have a price each, a text lets the upstream choose."""
        if start == _QUOTE:
            self.any_model = True

    def _add_kind(self, kind: str | None, image: ImageUrl | UsualImageUrl | None) -> None:
        if kind == "image":
            self.images += 1
        elif kind == "image_url":
            self.images += 1
            if not _is_in_the_body(image):
                self.opens = True
        else:
            self.opens = True


def _is_in_the_body(image: ImageUrl | UsualImageUrl | None) -> bool:
    return image is not None and image.url is not None and image.url.startswith("data:image/")


def factors_of(body: bytes) -> CostFactors:
    """Those of a body that nothing is known of."""
    factors = CostFactors()
    try:
        _add_body(factors, decode_body(body))
    except UNDECODABLE:
        factors.become_unknown()
    return factors


def add_rest(factors: CostFactors, members: Members, *, with_tools: bool) -> None:
    """Adds what the members of a body say beside `system` and `messages`, and `tools` only if they are asked for."""
    try:
        _add_rare(factors, members)
        if with_tools:
            for tool in decode_tools(members["tools"]) or ():
                factors.add_tool(tool)
    except UNDECODABLE:
        factors.become_unknown()


def _add_body(factors: CostFactors, body: Body) -> None:
    factors.add_cache(body.cache_control)
    factors.add_content(body.system)
    for message in body.messages:
        factors.add_content(message.content)
    for tool in body.tools or ():
        factors.add_tool(tool)
    factors.add_servers(bytes(body.mcp_servers))
    factors.add_servers(bytes(body.container))
    factors.add_management(body.context_management)
    factors.add_fallbacks(first_byte(body.fallbacks))


def _add_rare(factors: CostFactors, members: Members) -> None:
    cache = members.get("cache_control")
    if cache is not None:
        factors.add_cache(decode_cache_control(cache))
    factors.add_servers(bytes(members.get("mcp_servers", ABSENT)))
    factors.add_servers(bytes(members.get("container", ABSENT)))
    management = members.get("context_management")
    if management is not None:
        factors.add_management(decode_context_management(management))
    factors.add_fallbacks(first_byte(members.get("fallbacks", ABSENT)))
