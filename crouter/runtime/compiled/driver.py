"""A compilation in a process and a folder of its own: mypyc writes C, and setuptools has it compiled on all cores.

`python -m crouter.runtime.compiled.driver MADE` reads the sources below the current folder, and writes nowhere else.
"""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, cast

from mypyc.build import mypycify
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

from crouter.runtime.compiled.modules import COMPILER_SETTINGS, GROUP, MODULES, source_of

# The code of all modules is one library: what only it calls need not be found by name, and can be called directly.
# Warnings about generated code are for nobody.
_FLAGS: Final = ["-fvisibility=hidden", "-w"]
_C_FOLDER: Final = "c"
# A fault of mypyc (2.4): a constant that is a tuple of nothing but floats counts as set only while an exception is
# pending. Declared as `Final[tuple[float, ...]]` it is an ordinary tuple.
_FAULTY: Final = re.compile(r"likely\(\S+ != \S+ && PyErr_Occurred\(\)\)[^\n]*\n[^\n]*final name (\S+) was")


class _SideBySide(build_ext):
    """Compiles the files of an extension in parallel; setuptools does so with extensions only."""

    def build_extensions(self) -> None:
        one = self.compiler.compile

        def compile_all(sources: list[str], **options: Any) -> list[str]:
            with ThreadPoolExecutor(_cores()) as pool:
                return [file for files in pool.map(lambda source: one([source], **options), sources) for file in files]

        self.compiler.compile = compile_all
        super().build_extensions()


def main(made: str) -> None:
    """Writes the compiled modules below a folder."""
    sources = [source_of(module).as_posix() for module in MODULES]
    made_of = mypycify(
        ["--config-file", str(COMPILER_SETTINGS), *sources],
        opt_level="2",
        debug_level="0",
        multi_file=True,
        target_dir=_C_FOLDER,
        group_name=GROUP,
    )
    if faulty := faulty_constants(Path(_C_FOLDER)):
        sys.exit(f"declared as tuples of floats, which mypyc reads wrongly: {', '.join(faulty)}")
    extensions = cast(list[Extension], made_of)  # setuptools' own, wherever it is installed
    for extension in extensions:
        extension.extra_compile_args += _FLAGS
    parallel = f"--parallel={_cores()}"
    setup(
        name=GROUP,
        ext_modules=extensions,
        cmdclass={"build_ext": _SideBySide},
        script_args=["-q", "build_ext", "--build-lib", made, "--build-temp", "objects", parallel],
    )


def faulty_constants(folder: Path) -> list[str]:
    """Names of constants that compiled code would not find, by the C in a folder."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.c")))
    return sorted({name.strip('\\"') for text in texts for name in _FAULTY.findall(text)})


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main(sys.argv[1])
