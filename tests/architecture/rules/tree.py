"""What the files of the repository may not hold: machines, registries, other people's code."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.rules.source import Finding

# Written so that this file does not match itself.
REGISTRIES = re.compile(r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|yarnpkg[.]com|deb[.]debian[.]org")
MACHINE_PATHS = re.compile(r"/(?:root|home/[a-z]\w*|Users/[A-Za-z]\w*)/")
FOREIGN_FOLDERS = frozenset({"node_modules", "third-party", "third_party", "thirdparty", "vendor", "vendored"})


def tracked_files(root: Path) -> list[Path]:
    """What is or would be committed: known to git, or new and not ignored. Paths from `root`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    names = sorted({name for name in listed.stdout.split("\0") if name})
    return [Path(name) for name in names if (root / name).is_file()]


def addresses(root: Path, files: Iterable[Path]) -> Iterator[Finding]:
    """Lines that name a registry's host, a home, or the folder that this copy happens to lie in."""
    here = f"{root}/"
    for path in files:
        for number, line in enumerate(_lines(root / path), start=1):
            if REGISTRIES.search(line):
                yield Finding(path.as_posix(), number, "names the host of a package registry")
            if here in line or MACHINE_PATHS.search(line):
                yield Finding(path.as_posix(), number, "names a folder of somebody's machine")


def foreign_files(files: Iterable[Path]) -> Iterator[Finding]:
    for path in files:
        if FOREIGN_FOLDERS & {part.lower() for part in path.parts}:
            yield Finding(path.as_posix(), 1, "other people's code is installed, never committed")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []  # a picture or a font
