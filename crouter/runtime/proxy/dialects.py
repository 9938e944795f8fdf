"""The two forms of the API: Anthropic's own, and OpenAI's of the compatibility endpoint.

They differ in how an answer tells what it used, and in how a key is presented.
"""

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
    """How the facts of an answer are read: `tap` makes a reader of a stream, `facts_of_body` reads a whole body.

    `key_header` and `key_prefix` say where the upstream looks for a key.
    """

    tap: Callable[[], Tap]
    facts_of_body: Callable[[bytes], AnswerFacts]
    key_header: str
    key_prefix: str = ""


MESSAGES: Final = Dialect(EventTap, facts_of_message, "x-api-key")
COMPLETIONS: Final = Dialect(CompletionTap, facts_of_completion, "authorization", "Bearer ")
