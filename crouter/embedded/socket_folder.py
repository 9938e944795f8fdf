"""Chooses the folder of the server's Unix socket: private, and short enough for its address.

The data folder itself where it fits: it is closed to others and its path stays the same. Otherwise
a new folder below the system's temporary one, noted in the lock file, so that the next start
removes what a killed process left behind.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crouter.embedded.errors import ClusterError
from crouter.embedded.identity import Identity
from crouter.embedded.settings import PORT

_PREFIX = "crouter-pg-"
# sizeof(sockaddr_un.sun_path) less the final zero byte.
_ADDRESS_BYTES_MAX = 107 if sys.platform == "linux" else 103
_NOTE_BYTES_MAX = 4096


@contextmanager
def socket_folder(data_dir: Path, identity: Identity, lock: int) -> Iterator[Path]:
    """A folder for the socket of the server on `data_dir`; a temporary one is removed at the end.

    `lock` is the descriptor of the held lock file. Raises ClusterError if no path is short enough.
    """
    _remove_noted(lock)
    if usable_in_address(data_dir):
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _note(lock, folder)
    try:
        if not usable_in_address(folder):
            raise ClusterError(
                f"the paths of {data_dir} and {folder} are both too long for a Unix socket "
                f"({_ADDRESS_BYTES_MAX} bytes): choose a shorter folder, or set TMPDIR to one"
            )
        identity.require_reach(folder)
        os.chown(folder, identity.uid, identity.gid)
        yield folder
    finally:
        _remove_noted(lock)


def usable_in_address(folder: Path) -> bool:
    """Whether a client can name a socket in `folder`: libpq takes a comma for two hosts."""
    address = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(address) <= _ADDRESS_BYTES_MAX and b"," not in address


def _note(lock: int, folder: Path) -> None:
    os.pwrite(lock, os.fsencode(folder), 0)


def _remove_noted(lock: int) -> None:
    noted = Path(os.fsdecode(os.pread(lock, _NOTE_BYTES_MAX, 0)))
    os.ftruncate(lock, 0)
    # The name is checked, because a note is a file that anything may have written.
    if noted.name.startswith(_PREFIX) and noted.is_dir() and not noted.is_symlink():
        shutil.rmtree(noted)
