"""Which of several processes are alive, as a column number for each: what a process counted in its column dies with it.

A column is a file that its process has locked; the lock falls with the process, however that ended. Each process that
takes a column gives it another epoch, so that nobody has to wipe what the one before it left.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

COLUMNS: Final = 192
"""As many processes can be alive at once: more than there may be, also while they are replaced one by one."""


class NoColumnError(OSError):
    """As many processes as there are columns are alive."""


class Column:
    """The column of this process. `close` gives it up, and so does the end of the process."""

    def __init__(self, path: Path) -> None:
        """`path` is the beginning of the files' names. Raises OSError."""
        self._path = path
        for number in range(COLUMNS):
            file = self._locked(number)
            if file is not None:
                self.number, self._file = number, file
                return
        raise NoColumnError("no column is free")

    def is_alive(self, number: int) -> bool:
        """Whether the process of a column is."""
        if number == self.number:
            return True
        file = self._locked(number)
        if file is None:
            return True
        os.close(file)
        return False

    def close(self) -> None:
        os.close(self._file)

    def _locked(self, number: int) -> int | None:
        file = os.open(f"{self._path}-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file
