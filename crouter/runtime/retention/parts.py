"""A rule comes apart into parts: rows of one record that go in batches. What is common to all kinds of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from crouter.runtime.retention.rows import Doomed
from crouter.runtime.retention.session import Session

Count = Callable[[int], None]
"""Told how many rows go, within the transaction in which they do."""


class Part(Protocol):
    """What has to go from one record. `doomed` is what is weighed before it begins, and must be gone after it."""

    @property
    def doomed(self) -> Doomed: ...

    def expected(self, connection: Session) -> int:
        """How many rows will go, counted up to a bound."""
        ...

    def batches(self, connection: Session, rows: int, count: Count) -> Iterator[int]:
        """Remove in transactions of at most `rows` rows; yields after each how many went. May be left at any yield."""
        ...


@dataclass(frozen=True, slots=True)
class Batches:
    """A part whose batches are all alike: `step` removes the next rows and gives their number, 0 at the end."""

    doomed: Doomed
    step: Callable[[Session, int], int]

    def expected(self, connection: Session) -> int:
        return self.doomed.count(connection)

    def batches(self, connection: Session, rows: int, count: Count) -> Iterator[int]:
        while True:
            with connection.transaction():
                removed = self.step(connection, rows)
                count(removed)
            if removed == 0:
                return
            yield removed
