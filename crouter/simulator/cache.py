"""The prompt cache: which part of a prompt is written, which is read, which is plain input.

Keeps hashes of prefixes with a time to live, in memory; never the text. Unlike the real cache it
has no least length, so that a short prompt is enough to see it work.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from crouter.simulator.request import MessagesRequest
from crouter.simulator.tokens import canonical, prompt_parts, without_cache_mark

TTL_S = {"5m": 300.0, "1h": 3600.0}
ENTRIES_MAX = 10_000


@dataclass(frozen=True)
class InputUsage:
    """Input tokens in disjoint counters."""

    plain: int
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0

    @property
    def write(self) -> int:
        return self.write_5m + self.write_1h


@dataclass(frozen=True)
class _Prefix:
    digest: str
    tokens: int
    ttl: str | None


class PromptCache:
    """`clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._expires: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def account(self, request: MessagesRequest) -> InputUsage:
        """Count the prompt and remember its marked prefixes for the next one."""
        prefixes = _prefixes(request)
        total = max(1, prefixes[-1].tokens)
        marks = [place for place, prefix in enumerate(prefixes) if prefix.ttl]
        if not marks:
            return InputUsage(plain=total)
        now = self._clock()
        hit = next((p for p in range(marks[-1], -1, -1) if self._alive(prefixes[p], now)), None)
        read = 0 if hit is None else prefixes[hit].tokens
        written = {"5m": 0, "1h": 0}
        reached = read
        for place in marks:
            prefix = prefixes[place]
            assert prefix.ttl is not None
            if hit is None or place > hit:
                written[prefix.ttl] += prefix.tokens - reached
                reached = prefix.tokens
            self._remember(prefix.digest, prefix.ttl, now)
        if hit is not None:
            self._refresh(prefixes[hit].digest, now)
        return InputUsage(
            plain=total - prefixes[marks[-1]].tokens,
            write_5m=written["5m"],
            write_1h=written["1h"],
            read=read,
        )

    def _alive(self, prefix: _Prefix, now: float) -> bool:
        entry = self._expires.get(prefix.digest)
        return entry is not None and entry[0] > now

    def _refresh(self, digest: str, now: float) -> None:
        self._remember(digest, self._expires[digest][1], now)

    def _remember(self, digest: str, ttl: str, now: float) -> None:
        self._expires[digest] = (now + TTL_S[ttl], ttl)
        self._expires.move_to_end(digest)
        while len(self._expires) > ENTRIES_MAX:
            self._expires.popitem(last=False)


def _prefixes(request: MessagesRequest) -> list[_Prefix]:
    running = hashlib.sha256(request.model.encode("utf-8", "surrogatepass"))
    tokens = 0
    prefixes = []
    for part, part_tokens in prompt_parts(request):
        running.update(canonical(without_cache_mark(part)).encode())
        tokens += part_tokens
        prefixes.append(_Prefix(running.hexdigest(), tokens, _ttl(part.get("cache_control"))))
    if not prefixes:
        return [_Prefix(running.hexdigest(), 0, None)]
    if request.cache_control:
        last = prefixes[-1]
        prefixes[-1] = _Prefix(last.digest, last.tokens, _ttl(request.cache_control))
    return prefixes


def _ttl(mark: object) -> str | None:
    if not isinstance(mark, dict):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"
