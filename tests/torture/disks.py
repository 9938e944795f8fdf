"""Small file systems in memory, to be filled up or made read-only. Only root can mount them."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 64 * 1024


class Disk:
    """A mounted file system of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leaves no room, not even for a byte."""
        with self._ballast.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(_BLOCK_BYTES))
        with self._ballast.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"\0")

    def clear(self) -> None:
        """Gives the room back."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self) -> None:
        """Forbids writing. Raises CalledProcessError while a file is open for writing."""
        _mount("-o", "remount,ro", str(self.folder))

    def writable(self) -> None:
        """Allows writing again."""
        _mount("-o", "remount,rw", str(self.folder))


@contextlib.contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mounts a file system on a new folder, until the block ends. Raises CalledProcessError."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "crouter-torture", str(folder))
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
