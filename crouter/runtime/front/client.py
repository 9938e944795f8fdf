"""Whoever asked, as a relay sees them. The socket is owned elsewhere: by a turn of the front, or by aiohttp."""

from typing import Protocol

from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.headers import Returned


class Client(Protocol):
    """The one who asked. Called synchronously: `answer_begins`, then `write`, then one of the others, once."""

    def answer_begins(self, status: int, returned: Returned) -> None:
        """The head of the answer. It leaves with the first bytes."""

    def write(self, data: bytes) -> None:
        """Bytes of the body, which may be none: then the head leaves alone."""

    def finish(self, data: bytes) -> None:
        """The last bytes of the body, and its end."""

    def refuse(self, error: ErrorReply) -> None:
        """An answer of ours, where no byte of another has left."""

    def break_off(self, status: int) -> None:
        """The answer cannot be completed, and the client has to see it. `status` says why, for the log."""
