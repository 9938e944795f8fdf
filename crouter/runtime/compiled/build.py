"""Compiles the data path: `python -m crouter.runtime.compiled.build`. Needs mypy and a C compiler."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from crouter.runtime.compiled.modules import LIBRARY, MODULES, compiled_root, source_of, sources_digest

_SET_UP: Final = """\
import sys
from mypyc.build import mypycify
from setuptools import setup

setup(name="crouter-compiled", ext_modules=mypycify(sys.argv.pop().split(), opt_level="2", debug_level="0"))
"""


class NotCompiledError(Exception):
    """Why there is no compiled form."""


def build(root: Path | None = None) -> Path:
    """Compiles, unless that was done before, and gives the folder. Raises NotCompiledError."""
    root = root or compiled_root()
    folder = root / sources_digest()
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch_name:
        scratch = Path(scratch_name)
        made = scratch / "made"
        made.mkdir()
        sources = " ".join(source_of(module).relative_to(LIBRARY).as_posix() for module in MODULES)
        (scratch / "crouter").symlink_to(LIBRARY / "crouter")
        (scratch / "setup.py").write_text(_SET_UP)
        (scratch / "mypy.ini").write_text("[mypy]\nnamespace_packages = true\nexplicit_package_bases = true\n")
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "made", sources],
            cwd=scratch,
            capture_output=True,
            text=True,
            env={**os.environ, "MYPYPATH": ".", "CFLAGS": "-w"},
        )
        if done.returncode:
            raise NotCompiledError(done.stdout + done.stderr)
        flat = scratch / "flat"
        flat.mkdir()
        for path in made.rglob("*.so"):
            name = ".".join(path.relative_to(made).parts)
            shutil.move(path, flat / name)
        try:
            flat.rename(folder)
        except OSError as error:
            raise NotCompiledError(str(error)) from None
    return folder


def main() -> None:
    print(build())


if __name__ == "__main__":
    main()
