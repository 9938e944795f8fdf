"""Reads and replaces a folder of files as a whole: after any failure or crash the old files or the new ones stand.

The new tree is written beside the old one and takes its place by renaming. What a crash in between leaves behind is
put right by the next `replace_tree` or `recover`. Knows nothing of what the files mean.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

_IGNORED = "__pycache__"


class TreeError(Exception):
    """The folder could not be replaced. The message says what is in place now."""


class Disk:
    """The operations that change a disk, one method each. Tests let the N-th one fail."""

    def make_folder(self, path: Path) -> None:
        path.mkdir()

    def write(self, path: Path, content: bytes) -> None:
        """Write a new file and wait until the disk has it."""
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def sync_folder(self, path: Path) -> None:
        """Wait until the disk has the folder's entries."""
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def remove(self, path: Path) -> None:
        """Remove a file, a link or a folder with all it holds. A link's target is never touched."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def read_tree(folder: Path) -> dict[str, bytes | None]:
    """Every file below `folder` but Python's caches: its path, with slashes, and its content, sorted by path.

    None stands for what is no plain file: links are not followed, into folders neither. Raises OSError.
    """
    found: dict[str, bytes | None] = {}
    for path in _entries(folder):
        plain = path.is_file() and not path.is_symlink()
        found[path.relative_to(folder).as_posix()] = path.read_bytes() if plain else None
    return dict(sorted(found.items()))


def _entries(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            yield path
        elif path.name != _IGNORED:
            yield from _entries(path)


def replace_tree(folder: Path, files: Mapping[str, str], disk: Disk) -> None:
    """Make `folder` hold exactly `files`, paths with slashes to text. Call it within `held`. Raises TreeError."""
    recover(folder, disk)
    new, old = _new(folder), _old(folder)
    try:
        _write_tree(new, files, disk)
    except OSError as problem:
        recover(folder, disk)
        raise TreeError(f"{folder} was left as it was: {_reason(problem)}") from problem
    had_one = folder.exists()
    try:
        if had_one:
            disk.rename(folder, old)
        disk.rename(new, folder)
    except OSError as problem:
        recover(folder, disk)
        raise TreeError(f"{folder} was left as it was: {_reason(problem)}") from problem
    try:
        disk.sync_folder(folder.parent)
        if had_one:
            disk.remove(old)
    except OSError as problem:
        raise TreeError(f"{folder} is new and whole, but {old} could not be removed: {_reason(problem)}") from problem


def recover(folder: Path, disk: Disk) -> None:
    """Put right what an interrupted `replace_tree` left: the old tree returns unless the new one was in place."""
    new, old = _new(folder), _old(folder)
    try:
        if old.exists() and not folder.exists():
            disk.rename(old, folder)
        for leftover in (new, old):
            if leftover.exists() or leftover.is_symlink():
                disk.remove(leftover)
    except OSError as problem:
        raise TreeError(
            f"{new} and {old} could not be cleared away: {_reason(problem)}; the next run tries again"
        ) from problem


def was_interrupted(folder: Path) -> bool:
    """Whether a crash left the folder away, with the old one beside it."""
    return not folder.exists() and _old(folder).exists()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other writers of `folder` away. Raises TreeError where one is at work, or `folder` is not a plain folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise TreeError(f"{folder} is a link or a file, and nothing is written through it: remove it first")
    try:
        parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as problem:
        raise TreeError(f"{folder.parent} cannot be opened: {_reason(problem)}") from problem
    try:
        fcntl.flock(parent, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as problem:
        raise TreeError(f"another run is writing {folder}: wait for its end") from problem
    finally:
        os.close(parent)


def _write_tree(folder: Path, files: Mapping[str, str], disk: Disk) -> None:
    disk.make_folder(folder)
    folders = {folder}
    for path, text in files.items():
        inside = PurePosixPath(path)
        assert not inside.is_absolute(), "an output stands below generated/"
        assert ".." not in inside.parts, "an output stands below generated/"
        for parent in reversed(inside.parents):
            if folder / parent not in folders:
                disk.make_folder(folder / parent)
                folders.add(folder / parent)
        disk.write(folder / inside, text.encode())
    for made in sorted(folders):
        disk.sync_folder(made)


def _new(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.new")


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _reason(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__
