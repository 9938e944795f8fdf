"""What one node holds of the limits of one key. Arithmetic only.

`held` are requests that the node may admit without asking, `slots` how many it may have under way. Both are its own
until it gives them back, or is not heard of for as long as the store waits.
"""

from dataclasses import dataclass, field
from typing import Final

from crouter.contract.traffic import Limits
from crouter.runtime.fleet.store import Answer, Told
from crouter.runtime.limit_standing import Figure, Standing
from crouter.runtime.limits import Reached, reached_at_once, windows_of

PORTION_MIN: Final = 4
PORTION_MAX: Final = 256
_USES_MAX: Final = 1000


@dataclass(slots=True)
class Share:
    """One key in one node. Times are of the node's own clock."""

    name: str
    limits: Limits
    held: int = 0
    slots: int = 0
    under_way: int = 0
    usable_until: float = 0.0
    used_at: float = 0.0
    sequence: int = 0
    refused: Reached | None = None
    refused_until: float = 0.0
    portion: int = PORTION_MIN
    last: Answer | None = None
    since: int = 0
    """Requests admitted since the last answer."""
    wants_none: bool = False
    """Another node lacks something: nothing is held in advance until the next request."""
    uses: list[tuple[str, float, int]] = field(default_factory=list)
    """What the store was not told yet: kind, moment, amount."""
    under_question: list[tuple[str, float, int]] = field(default_factory=list)
    """What it was told without an answer: told again under the same number, which counts once."""

    def has_one(self, now: float) -> bool:
        """Whether one more request may be admitted without asking."""
        if self.held <= 0 or now >= self.usable_until:
            return False
        return self.limits.concurrent_requests is None or self.under_way < self.slots

    def take(self, now: float) -> None:
        """One of the held requests is used."""
        self.held -= 1
        self.since += 1
        self.used_at = now
        self.note("r", now, 1)

    def note(self, kind: str, now: float, amount: int) -> None:
        """What was used, for the next exchange. Beyond a bound it is told as of the latest moment of its kind."""
        for number in range(len(self.uses) - 1, max(len(self.uses) - 4, -1), -1):
            known, at, so_far = self.uses[number]
            if known == kind and (at == now or len(self.uses) >= _USES_MAX):
                self.uses[number] = (kind, at, so_far + amount)
                return
        self.uses.append((kind, now, amount))

    def told(self, now: float, *, needs_one: bool) -> Told:
        """What to say in the next exchange. `needs_one` says that a request waits."""
        if now >= self.usable_until:
            # The store has given it to others by now.
            self.held = 0
            self.slots = min(self.slots, self.under_way)
        if not self.under_question:
            self.sequence += 1
            self.under_question, self.uses = self.uses, []
        # What was used and is told only later is still held.
        held = self.held + sum(amount for kind, _, amount in self.uses if kind == "r")
        least = int(needs_one and self.held == 0)
        wanted = 0 if self.wants_none else max(self.portion - self.held, 0)
        bounded = self.limits.concurrent_requests is not None
        least_slots = int(needs_one and bounded and self.under_way >= self.slots)
        wanted_slots = max(self.under_way + 2 - self.slots, 0) if bounded and not self.wants_none else 0
        uses = [(kind, max(now - at, 0.0), amount) for kind, at, amount in self.under_question]
        return Told(self.sequence, held, self.slots, least, wanted, least_slots, wanted_slots, uses)

    def heard(self, answer: Answer, asked_at: float, lifetime: float) -> None:
        """What the store said to what was told at `asked_at`."""
        self.under_question = []
        self.held += answer.granted
        self.slots += answer.granted_slots
        self.usable_until = asked_at + lifetime
        self.last = answer
        self.since = sum(amount for kind, _, amount in self.uses if kind == "r")
        given, made = self.limits.input_tokens_per_minute, self.limits.output_tokens_per_minute
        if any(most is not None and answer.windows[n][0] >= most for n, most in ((3, given), (4, made))):
            # Tokens have run out: nobody goes on with what was held before.
            self.held = 0

    def give_up(self) -> None:
        """Holds nothing in advance any more; the next exchange says so."""
        self.held = 0
        self.slots = min(self.slots, self.under_way)
        self.wants_none = True

    def refusal(self, answer: Answer, told: Told) -> Reached:
        """Why a request is refused, after an exchange that gave too little."""
        standing = self.standing()
        windows = windows_of(self.limits)
        every = (*windows.requests, windows.input_tokens, windows.output_tokens)
        if told.least_slots > answer.granted_slots and windows.at_once is not None:
            return reached_at_once(windows.at_once, standing)
        window = every[answer.reached - 1] if answer.reached else windows.requests[0]
        assert window is not None, "only a limit can be reached"
        # Without a full window others hold what is left, and give it back soon.
        return Reached(window.name, answer.wait_seconds or 1.0, window.limit, standing)

    def standing(self) -> Standing:
        """How the key stands, as far as this node knows."""
        windows, last = windows_of(self.limits), self.last
        if last is None:
            first = windows.requests[0]
            return Standing(Figure(first.most, first.most, 0.0))
        left = [window.most - used for window, (used, _) in zip(windows.requests, last.windows, strict=False)]
        tightest = left.index(min(left))
        remaining = max(last.left - self.since, 0)
        requests = Figure(windows.requests[tightest].most, remaining, last.windows[tightest][1])
        tokens = (
            None
            if window is None
            else Figure(window.most, max(window.most - last.windows[n][0], 0), last.windows[n][1])
            for n, window in ((3, windows.input_tokens), (4, windows.output_tokens))
        )
        return Standing(requests, *tokens)
