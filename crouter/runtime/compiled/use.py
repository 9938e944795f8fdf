"""Lets compiled modules be imported in place of their sources, in this process: all of them, or none."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from crouter.runtime.compiled.modules import (
    MODULES,
    SHARED,
    compiled_root,
    compiler_version,
    file_of,
    sources_digest,
)
from crouter.runtime.environment import Reader

INTERPRETED: Final = "CROUTER_INTERPRETED"
_FILES: Final = {name: file_of(name) for name in (SHARED, *MODULES)}


class CompiledModules(MetaPathFinder):
    """Finds the modules of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is one that was compiled."""
        if fullname not in _FILES:
            return None
        found = str(self._folder / _FILES[fullname])
        return spec_from_file_location(fullname, found, loader=ExtensionFileLoader(fullname, found))


def folder_for(root: Path, digest: str, compiler: str | None) -> Path | None:
    """Where the compilation of a digest is, or would be; None where there is neither one nor a compiler.

    One of another compiler's version is made anew. Where there is no compiler, nothing can be, and the newest goes.
    """
    if compiler is not None:
        return root / f"{digest}-{compiler}"
    return max(root.glob(f"{digest}-*"), key=lambda folder: folder.stat().st_mtime_ns, default=None)


def fitting(root: Path | None = None) -> Path | None:
    """The compilation of exactly these sources, for this interpreter; None where there is none, or not all of it."""
    folder = folder_for(root or compiled_root(), sources_digest(), compiler_version())
    return folder if folder is not None and is_whole(folder) else None


def is_whole(folder: Path) -> bool:
    """Whether nothing of a compilation is missing."""
    return all((folder / file).is_file() for file in _FILES.values())


def is_forbidden(environ: Mapping[str, str]) -> bool:
    """Whether a setting says that the sources are to be run."""
    return Reader(environ).text(INTERPRETED) != ""


def use_compiled(environ: Mapping[str, str], root: Path | None = None) -> bool:
    """Imports come from what was compiled of exactly these sources. False where that is forbidden, or not there.

    To be called before any of the modules is imported: half of one form and half of the other is never used.
    """
    if is_forbidden(environ) or any(module in sys.modules for module in MODULES):
        return False
    folder = fitting(root)
    if folder is None:
        return False
    finder = CompiledModules(folder)
    sys.meta_path.insert(0, finder)
    try:
        # All of the code. What this system cannot load is noticed here, while the sources can still be used.
        importlib.import_module(SHARED)
    except ImportError:
        sys.meta_path.remove(finder)
        return False
    return True


def is_compiled() -> bool:
    """Whether this process uses what was compiled."""
    return any(isinstance(finder, CompiledModules) for finder in sys.meta_path)
