"""Disks that fail: at the N-th operation of a kind, or for good."""

from pathlib import Path

from crouter.runtime.journal.disk import Disk


class FailingDisk(Disk):
    """Fails from the `first`-th operation of some kinds on, `times` times."""

    def __init__(self, first: int, times: int = 10**9, *kinds: str) -> None:
        self.first = first
        self.times = times
        self.kinds = kinds or ("create", "write", "sync", "remove", "read")
        self.done = 0

    def _step(self, kind: str) -> None:
        if kind in self.kinds:
            self.done += 1
            if self.first <= self.done < self.first + self.times:
                raise OSError(28, "no space left on device")

    def create(self, path: Path, size: int) -> int:
        self._step("create")
        return super().create(path, size)

    def write(self, descriptor: int, data: bytes, at: int) -> None:
        try:
            self._step("write")
        except OSError:
            # A write that fails may have written a part.
            super().write(descriptor, data[: len(data) // 2], at)
            raise
        super().write(descriptor, data, at)

    def read(self, descriptor: int, size: int, at: int) -> bytes:
        self._step("read")
        return super().read(descriptor, size, at)

    def sync(self, descriptor: int) -> None:
        self._step("sync")
        super().sync(descriptor)

    def remove(self, path: Path) -> None:
        self._step("remove")
        super().remove(path)
