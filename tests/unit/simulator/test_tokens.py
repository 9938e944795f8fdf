"""Counts depend on the request alone."""

import json

from crouter.simulator.request import MessagesRequest, read_request
from crouter.simulator.tokens import block_tokens, prompt_tokens, text_tokens


def test_four_bytes_are_a_token_and_a_part_counts_whole() -> None:
    assert [text_tokens(text) for text in ("", "a", "abcd", "abcde", "é€")] == [0, 1, 1, 2, 2]


def test_pictures_cost_the_same_whatever_their_size_even_in_a_tool_result() -> None:
    small, big = ({"type": "image", "source": {"data": "A" * size}} for size in (1, 100_000))
    assert block_tokens(small) == block_tokens(big) == 1500
    assert block_tokens({"type": "tool_result", "content": [big, big]}) == 3000


def test_tools_system_and_messages_all_count() -> None:
    fields = {
        "model": "m",
        "tools": [{"name": "t", "input_schema": {}}],
        "system": "abcd",
        "messages": [{"role": "user", "content": "abcd"}],
    }
    request = read_request(json.dumps(fields).encode(), counting=True)
    assert isinstance(request, MessagesRequest)
    tool = text_tokens('{"input_schema":{},"name":"t"}')
    assert prompt_tokens(request) == tool + 1 + 1 + 3
