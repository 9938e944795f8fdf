"""What processors can do about their copy of a person's data, as the parts that speak with them offer it."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.runtime.database.pool import Connection

Pointer = Callable[[Connection, uuid.UUID], Awaitable[str | None]]
"""Gives what a processor knows an account by, None if nothing was sent. Raises the driver's errors."""

Pointers = Mapping[str, Pointer]
"""By the names of processors. A processor that is not there is sent nothing that names anybody."""


class ErasureFailedError(Exception):
    """The processor did not confirm. `word` names the kind of failure, for a record without personal data."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class ProcessorErasure(Protocol):
    """Deletes what one processor holds about a person. `name` is the one of policy.yaml."""

    @property
    def name(self) -> str: ...

    async def erase(self, pointer: str) -> None:
        """Returns when the copy is gone, also if it was gone before. Raises ErasureFailedError."""
        ...


Erasers = Mapping[str, ProcessorErasure]


def erasers(*known: ProcessorErasure) -> Erasers:
    """By the names of their processors."""
    return {eraser.name: eraser for eraser in known}


def asked_processors(deployment: Deployment) -> tuple[Processor, ...]:
    """Those that keep something: each of them is a step of every deletion, if only to say that nothing was sent."""
    return tuple(processor for processor in deployment.processors if processor.mode == "store")
