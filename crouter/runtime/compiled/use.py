"""Lets compiled modules be imported in place of their sources, in this process."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import ModuleType

from crouter.runtime.compiled.modules import MODULES, compiled_root, sources_digest


class CompiledModules(MetaPathFinder):
    """Finds the modules of one folder."""

    def __init__(self, folder: Path) -> None:
        self._found = {path.name.partition(EXTENSION_SUFFIXES[0])[0]: path for path in folder.iterdir()}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it was compiled."""
        found = self._found.get(fullname)
        if found is None:
            return None
        return importlib.util.spec_from_file_location(fullname, found, loader=ExtensionFileLoader(fullname, str(found)))


def use_compiled(root: Path | None = None) -> bool:
    """Uses what was compiled of exactly these sources for this interpreter; False if there is nothing of the kind.

    To be called before any of the modules is imported.
    """
    folder = (root or compiled_root()) / sources_digest()
    if not folder.is_dir() or any(module in sys.modules for module in MODULES):
        return False
    sys.meta_path.insert(0, CompiledModules(folder))
    return True
