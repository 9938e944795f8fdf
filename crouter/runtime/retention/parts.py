"""A rule comes apart into parts: rows of one record that go in batches. What is common to all kinds of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.partitions import Partitions
from crouter.runtime.retention.rows import COUNTED_MAX, Doomed, Share, remove_batch
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

    def share(self, connection: Session, percent_max: int) -> Share:
        """How large a part of the record that is, exact enough to tell it from `percent_max`."""
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

    def share(self, connection: Session, percent_max: int) -> Share:
        return self.doomed.share(connection, percent_max)

    def batches(self, connection: Session, rows: int, count: Count) -> Iterator[int]:
        while True:
            with connection.transaction():
                removed = self.step(connection, rows)
                count(removed)
            if removed == 0:
                return
            yield removed


@dataclass(frozen=True, slots=True)
class InPartitions:
    """A part that goes by partitions as far as they are all past, and row by row where they are not."""

    doomed: Doomed
    partitions: Partitions
    cutoff: Cutoff

    def expected(self, connection: Session) -> int:
        return self.doomed.count(connection)

    def share(self, connection: Session, percent_max: int) -> Share:
        if self.doomed.count(connection) < COUNTED_MAX:
            return self.doomed.share(connection, percent_max)
        # A year of rows is not counted to find out that it is a year: what PostgreSQL estimates decides as well.
        rows, total = self.partitions.sizes(connection, self.cutoff)
        return Share(max(rows, COUNTED_MAX), max(total, COUNTED_MAX))

    def batches(self, connection: Session, rows: int, count: Count) -> Iterator[int]:
        for partition in self.partitions.due(connection, self.cutoff):
            removed = self.partitions.drop(connection, partition, count)
            if removed is None:
                break
            yield removed
        yield from Batches(self.doomed, partial(remove_batch, self.doomed)).batches(connection, rows, count)
