"""The operations of a journal on its files. One object, so that tests can let any of them fail."""

import os
from pathlib import Path
from typing import Final

_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class Disk:
    """Files by descriptor. Every method raises OSError; a short write is one, too."""

    def make_folder(self, path: Path) -> None:
        """A folder for its owner only, with its parents."""
        path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def create(self, path: Path, size: int) -> int:
        """A new file of `size` zero bytes that the disk has really set aside; gives its descriptor."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        return descriptor

    def open(self, path: Path) -> int:
        """The descriptor of a file that exists, or of a new empty one, for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)

    def write(self, descriptor: int, data: bytes, at: int) -> None:
        """Writes all of `data` at an offset."""
        if os.pwrite(descriptor, data, at) != len(data):
            raise OSError("short write")

    def read(self, descriptor: int, size: int, at: int) -> bytes:
        """Up to `size` bytes from an offset on; fewer at the end of the file only."""
        return os.pread(descriptor, size, at)

    def sync(self, descriptor: int) -> None:
        """Waits until what was written is on the medium."""
        os.fdatasync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Gives a folder another name."""
        old.rename(new)

    def remove(self, path: Path) -> None:
        """Removes a file; one that is not there is no error."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Removes an empty folder."""
        path.rmdir()

    def close(self, descriptor: int) -> None:
        """Gives a descriptor up."""
        os.close(descriptor)
