"""The forms in which an answer can tell what it used: Anthropic's own, and OpenAI's of the compatibility endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from crouter.runtime.proxy.completions import CompletionTap, facts_of_completion
from crouter.runtime.proxy.events import AnswerFacts, EventTap, facts_of_message


class Tap(Protocol):
    """Reads a stream of server-sent events. Feed it decoded bytes, then `close()` it once."""

    facts: AnswerFacts

    def feed(self, data: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the facts of an answer are read: `tap` makes a reader of a stream, `facts_of_body` reads a whole body."""

    tap: Callable[[], Tap]
    facts_of_body: Callable[[bytes], AnswerFacts]


MESSAGES: Final = Dialect(EventTap, facts_of_message)
COMPLETIONS: Final = Dialect(CompletionTap, facts_of_completion)
