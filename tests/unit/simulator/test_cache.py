"""Cache writes and reads."""

import json
from typing import Any

from crouter.simulator.cache import InputUsage, PromptCache
from crouter.simulator.request import MessagesRequest, read_request
from crouter.simulator.tokens import prompt_tokens


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def text(content: str, ttl: str | None = None) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": content}
    if ttl:
        block["cache_control"] = {"type": "ephemeral", "ttl": ttl}
    return block


def asked(*content: dict[str, Any], system: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    fields = {
        "model": "m",
        "max_tokens": 1,
        "system": system or [],
        "messages": [{"role": "user", "content": list(content)}],
    } | more
    request = read_request(json.dumps(fields).encode())
    assert isinstance(request, MessagesRequest)
    return request


def total(usage: InputUsage) -> int:
    return usage.plain + usage.write + usage.read


def test_without_a_mark_nothing_is_cached() -> None:
    cache = PromptCache(Clock())
    request = asked(text("x" * 400))
    assert cache.account(request) == cache.account(request) == InputUsage(plain=103)


def test_the_first_use_writes_and_the_second_reads() -> None:
    cache = PromptCache(Clock())
    request = asked(text("tail" * 10), system=[text("x" * 400, "5m")])
    assert cache.account(request) == InputUsage(plain=13, write_5m=100)
    assert cache.account(request) == InputUsage(plain=13, read=100)


def test_an_hour_and_five_minutes_are_counted_apart() -> None:
    cache = PromptCache(Clock())
    request = asked(text("y" * 80, "5m"), system=[text("x" * 400, "1h")])
    assert cache.account(request) == InputUsage(plain=0, write_1h=100, write_5m=23)


def test_a_longer_conversation_reads_the_old_prefix_and_writes_the_rest() -> None:
    cache = PromptCache(Clock())
    cache.account(asked(text("x" * 400, "5m")))
    usage = cache.account(asked(text("x" * 400), text("y" * 40, "5m")))
    assert usage == InputUsage(plain=0, read=103, write_5m=10)


def test_a_top_level_mark_covers_the_whole_prompt() -> None:
    cache = PromptCache(Clock())
    request = asked(text("x" * 400), cache_control={"type": "ephemeral"})
    assert cache.account(request) == InputUsage(plain=0, write_5m=103)
    assert cache.account(request) == InputUsage(plain=0, read=103)


def test_another_model_or_another_prefix_reads_nothing() -> None:
    cache = PromptCache(Clock())
    cache.account(asked(text("x" * 400, "5m")))
    assert cache.account(asked(text("x" * 400, "5m"), model="n")).read == 0
    assert cache.account(asked(text("z" + "x" * 399, "5m"))).read == 0


def test_entries_expire_by_their_ttl_and_reading_renews_them() -> None:
    clock = Clock()
    cache = PromptCache(clock)
    short, long = asked(text("x" * 400, "5m")), asked(text("y" * 400, "1h"))
    cache.account(short)
    cache.account(long)
    clock.now = 299
    assert cache.account(short).read == 103
    clock.now = 598
    assert cache.account(short).read == 103
    clock.now = 1000
    assert cache.account(short).read == 0
    assert cache.account(long).read == 103


def test_the_counters_always_add_up_to_the_prompt() -> None:
    cache = PromptCache(Clock())
    for ttls in (("5m", None), (None, "1h"), ("1h", "5m"), (None, None), ("5m", "5m")):
        request = asked(*(text("x" * 50 * (n + 1), ttl) for n, ttl in enumerate(ttls)))
        assert total(cache.account(request)) == prompt_tokens(request)
