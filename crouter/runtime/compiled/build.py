"""Compiles the data path, once for each content of its sources. Leaves out who asks for it: `crouter compile`.

Everything is written below the folder of compilations, and nothing of it counts before it is whole.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crouter.runtime.compiled.modules import LIBRARY, compiled_root, compiler_version, sources_digest
from crouter.runtime.compiled.use import fitting, folder_for, is_whole

KEPT: Final = 2
"""How many compilations are kept, the newest ones: who goes back to another branch has its own still."""

_DRIVER: Final = "crouter.runtime.compiled.driver"
_SCRATCH: Final = "making-"
_SCRATCH_SECONDS: Final = 3600
_LINES_TOLD: Final = 20


class CannotCompileError(Exception):
    """Something that compiling needs is not on this machine. The message says what."""


class CompilationError(Exception):
    """The sources were not compiled. The message has the last lines of what the compiler said."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """Where it is, and whether it was made just now."""

    folder: Path
    is_new: bool


def build(root: Path | None = None) -> Compilation:
    """Compiles, unless that was done before. Raises CannotCompileError, CompilationError."""
    root = root or compiled_root()
    found = fitting(root)
    if found is None:
        _require_tools()
        try:
            root.mkdir(parents=True, exist_ok=True)
            with _alone(root):
                # Whoever was first may have made it meanwhile.
                found = fitting(root)
                if found is None:
                    return Compilation(_made(root), is_new=True)
        except OSError as error:
            raise CannotCompileError(f"{root} cannot be written ({error.strerror})") from None
    with contextlib.suppress(OSError):
        os.utime(found)  # the newest are kept
    return Compilation(found, is_new=False)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Waits until nobody else compiles. Where files cannot be locked, two who compile do no harm, but for the time."""
    folder = os.open(root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _made(root: Path) -> Path:
    """The folder of a new compilation. Raises CompilationError, OSError."""
    digest = sources_digest()
    folder = folder_for(root, digest, compiler_version())
    assert folder is not None, "there is a compiler"
    with tempfile.TemporaryDirectory(dir=root, prefix=_SCRATCH, ignore_cleanup_errors=True) as scratch:
        made = _compiled_in(Path(scratch))
        if sources_digest() != digest:
            raise CompilationError("the sources were changed meanwhile; compile them again")
        if not is_whole(made):
            raise CompilationError("the compiler has not written all of it")
        _put_in_place(made, folder)
    _remove_old(root)
    return folder


def _require_tools() -> None:
    """Raises CannotCompileError."""
    if compiler_version() is None or find_spec("mypyc") is None or find_spec("setuptools") is None:
        raise CannotCompileError("mypyc is not installed here (the packages mypy and setuptools)")
    command = os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")
    program = shlex.split(command)[0]
    if shutil.which(program) is None:
        raise CannotCompileError(f"there is no C compiler ({program}; Debian: gcc)")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise CannotCompileError("the headers of Python are not installed (Debian: python3-dev)")


def _compiled_in(scratch: Path) -> Path:
    """The folder with what was compiled. Raises CompilationError, OSError."""
    # Paths in messages and tracebacks begin with crouter/, wherever the library is.
    (scratch / "crouter").symlink_to(LIBRARY / "crouter")
    made = scratch / "made"
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", _DRIVER, made.name],
        cwd=scratch,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (".", os.environ.get("PYTHONPATH", ""))))},
        check=False,
    )
    if done.returncode:
        raise CompilationError("\n".join(done.stdout.rstrip().splitlines()[-_LINES_TOLD:]))
    return made


def _put_in_place(made: Path, folder: Path) -> None:
    """A folder is there as a whole or not at all. Raises OSError."""
    try:
        made.rename(folder)
    except OSError:
        # Somebody else has made the same at the same time, or it has lost a file since it was made.
        if fitting(folder.parent) == folder:
            return
        folder.rename(made.with_name("broken"))
        made.rename(folder)


def _remove_old(root: Path) -> None:
    """What is neither among the newest nor being made. Processes that use it go on: they have loaded it already."""
    now = time.time()
    kept = 0
    for folder in sorted(root.iterdir(), key=_changed, reverse=True):
        if folder.name.startswith(_SCRATCH):
            is_old = now - _changed(folder) > _SCRATCH_SECONDS
        else:
            kept += 1
            is_old = kept > KEPT
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # it was removed meanwhile
        return 0.0
