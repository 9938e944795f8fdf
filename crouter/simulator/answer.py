"""What the simulated model says: content blocks, why it stopped, how many tokens that took.

Pure: the same request, steering and seed give the same answer. Repeats nothing of the prompt unless
asked to (`simulate: echo`) and of a tool's result only the beginning.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, replace

from crouter.simulator.background import background_text
from crouter.simulator.request import Json, MessagesRequest, human_text
from crouter.simulator.steering import Steering, without_marks
from crouter.simulator.structured import example_of
from crouter.simulator.tokens import BYTES_PER_TOKEN, canonical, text_tokens
from crouter.simulator.tooling import next_tool_call, result_quote, tool_results

THOUGHT = "This is a simulated thought: there is nothing to think about."
LONG_SENTENCE = "This sentence of a simulated answer is here to be counted. "


@dataclass(frozen=True)
class Answer:
    """`output_tokens` includes `thinking_tokens`. `web_searches` is None when no server tool ran."""

    blocks: tuple[Json, ...]
    stop_reason: str
    stop_sequence: str | None = None
    output_tokens: int = 0
    thinking_tokens: int = 0
    web_searches: int | None = None


def identifier(prefix: str, seed: str, number: int = 0) -> str:
    """An id that looks like Anthropic's and never repeats for another seed."""
    digest = hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()
    return f"{prefix}_sim{digest[:21]}"


def answer_to(request: MessagesRequest, steering: Steering, *, seed: str, input_tokens: int) -> Answer:
    """The whole answer; `seed` makes its ids, `input_tokens` is a fact the text mentions."""
    thought = _thinking(request, seed)
    spoken = _spoken(request, steering, seed, input_tokens)
    return _within_limits(replace(spoken, blocks=thought + spoken.blocks), request)


def _spoken(request: MessagesRequest, steering: Steering, seed: str, input_tokens: int) -> Answer:
    if steering.refusal:
        return Answer((), "refusal")
    searches = steering.web_searches or (1 if _offers_web_search(request) else 0)
    if searches:
        blocks = _web_search_blocks(searches, seed)
        return Answer((*blocks, _text("Simulated: searched.")), "end_turn", web_searches=searches)
    call = next_tool_call(request)
    if call:
        block = {
            "type": "tool_use",
            "id": identifier("toolu", seed),
            "name": call.name,
            "input": call.input,
        }
        return Answer((block,), "tool_use")
    return Answer((_text(_words(request, steering, input_tokens)),), "end_turn")


def _words(request: MessagesRequest, steering: Steering, input_tokens: int) -> str:
    if request.schema is not None:
        return json.dumps(example_of(request.schema))
    results = tool_results(request)
    if results:
        verb = "failed with" if results[-1].get("is_error") else "returned"
        return f"Simulated answer of {request.model}. The tool {verb}: {result_quote(results[-1])}"
    if steering.echo:
        return without_marks(human_text(request.turns[-1])) or "(nothing to echo)"
    if steering.long_tokens:
        sentences = steering.long_tokens * BYTES_PER_TOKEN // len(LONG_SENTENCE) + 1
        return LONG_SENTENCE * sentences
    return background_text(request) or _default_words(request, steering, input_tokens)


def _default_words(request: MessagesRequest, steering: Steering, input_tokens: int) -> str:
    images = sum(b.get("type") == "image" for m in request.messages for b in m["content"])
    about = [f"{len(request.messages)} message(s)", f"{len(request.tools)} tool(s)"]
    if images:
        about.append(f"{images} image(s)")
    words = (
        f"This is a simulated answer of {request.model}; no model was called. "
        f"The request held {', '.join(about)} and counted {input_tokens} input tokens. "
        "Write a line such as `simulate: echo`, `simulate: slow 3s` or `simulate: overloaded` "
        "to see something else."
    )
    return f"{words} (One mark was not understood.)" if steering.unknown else words


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _thinking(request: MessagesRequest, seed: str) -> tuple[Json, ...]:
    if request.thinking.get("type") not in ("enabled", "adaptive"):
        return ()
    signature = base64.b64encode(hashlib.sha512(seed.encode()).digest()).decode()
    shown = "" if request.thinking.get("display") == "omitted" else THOUGHT
    return ({"type": "thinking", "thinking": shown, "signature": signature},)


def _offers_web_search(request: MessagesRequest) -> bool:
    """Claude Code's own search tool asks with this server tool and nothing else."""
    return len(request.tools) == 1 and str(request.tools[0].get("type", "")).startswith("web_search_")


def _web_search_blocks(searches: int, seed: str) -> tuple[Json, ...]:
    blocks: list[Json] = []
    for number in range(searches):
        use_id = identifier("srvtoolu", seed, number)
        blocks.append(
            {
                "type": "server_tool_use",
                "id": use_id,
                "name": "web_search",
                "input": {"query": f"simulated query {number + 1}"},
            }
        )
        result = {
            "type": "web_search_result",
            "title": "A simulated page",
            "url": "https://example.com/",
            "encrypted_content": "c2ltdWxhdGVk",
            "page_age": None,
        }
        blocks.append({"type": "web_search_tool_result", "tool_use_id": use_id, "content": [result]})
    return tuple(blocks)


def _within_limits(answer: Answer, request: MessagesRequest) -> Answer:
    """Count the blocks one after the other until max_tokens or a stop sequence ends them."""
    kept: list[Json] = []
    spent = thinking = 0
    stop_reason, stop_sequence = answer.stop_reason, None
    for block in answer.blocks:
        left = request.max_tokens - spent
        block, sequence = _until_stop(block, request.stop_sequences)
        cost = _output_tokens(block)
        if cost > left:
            stop_reason, stop_sequence, sequence = "max_tokens", None, None
            block, cost = _cut(block, left), left
        if block:
            kept.append(block)
            spent += cost
            thinking += cost if block["type"] == "thinking" else 0
        if sequence is not None:
            stop_reason, stop_sequence = "stop_sequence", sequence
        if stop_reason in ("max_tokens", "stop_sequence"):
            break
    return replace(
        answer,
        blocks=tuple(kept),
        stop_reason=stop_reason,
        stop_sequence=stop_sequence,
        output_tokens=spent,
        thinking_tokens=thinking,
    )


def _output_tokens(block: Json) -> int:
    if block["type"] == "text":
        return max(1, text_tokens(block["text"]))
    if block["type"] == "thinking":
        # Thinking is billed whether or not it is shown.
        return text_tokens(THOUGHT)
    if block["type"] == "web_search_tool_result":
        return 0
    return text_tokens(canonical(block.get("input", {}))) + text_tokens(block["name"])


def _until_stop(block: Json, sequences: tuple[str, ...]) -> tuple[Json, str | None]:
    if block["type"] != "text":
        return block, None
    found = [(block["text"].find(s), s) for s in sequences if s and s in block["text"]]
    if not found:
        return block, None
    place, sequence = min(found)
    return block | {"text": block["text"][:place]}, sequence


def _cut(block: Json, tokens: int) -> Json:
    """The part of a text that `tokens` pay for; any other block is dropped whole."""
    if block["type"] != "text" or tokens <= 0:
        return {}
    kept = block["text"].encode("utf-8", "replace")[: tokens * BYTES_PER_TOKEN].decode(errors="ignore")
    return block | {"text": kept}
