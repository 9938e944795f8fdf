"""Installs other gateways from their locks, each into a folder of its own that nothing else uses.

Versions and digests are pinned in `locks/`; only wheels are taken, and no script of a package runs.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.errors import BenchError
from bench.proxying.processes import CACHE

LOCKS = Path(__file__).with_name("locks")
PYTHON_GATEWAYS = ("litellm", "tensorzero")
NODE_GATEWAYS = {"portkey": "@portkey-ai/gateway"}
GATEWAYS = (*PYTHON_GATEWAYS, *NODE_GATEWAYS)
_INSTALL_SECONDS = 900


def installed(gateway: str) -> Path | None:
    """The folder of a gateway that was installed from the lock as it is now, or None."""
    folder = CACHE / gateway
    stamp = folder / "installed"
    return folder if stamp.is_file() and stamp.read_text(encoding="ascii") == _digest(gateway) else None


def install_gateways(tell: Callable[[str], None]) -> None:
    """Installs what is not there yet. What cannot be installed is told, and the bench goes on without it."""
    for gateway in GATEWAYS:
        if installed(gateway):
            tell(f"{gateway} {locked_version(gateway)} is installed")
            continue
        tell(f"installing {gateway} {locked_version(gateway)} into {(CACHE / gateway).relative_to(CACHE.parents[1])}")
        folder = CACHE / gateway
        if folder.exists():
            shutil.rmtree(folder)
        try:
            (_install_python if gateway in PYTHON_GATEWAYS else _install_node)(gateway, folder)
        except BenchError as error:
            tell(f"{gateway} COULD NOT BE INSTALLED: {error}")
        else:
            (folder / "installed").write_text(_digest(gateway), encoding="ascii")


def locked_version(gateway: str) -> str:
    """The version that a gateway's lock pins."""
    if gateway in NODE_GATEWAYS:
        packages = json.loads((LOCKS / gateway / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return str(packages[f"node_modules/{NODE_GATEWAYS[gateway]}"]["version"])
    text = (LOCKS / f"{gateway}.txt").read_text(encoding="utf-8")
    pin = next(line for line in text.splitlines() if line.startswith((f"{gateway}==", f"{gateway}[")))
    return pin.partition("==")[2].split()[0]


def _digest(gateway: str) -> str:
    lock = LOCKS / f"{gateway}.txt" if gateway in PYTHON_GATEWAYS else LOCKS / gateway / "package-lock.json"
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _install_python(gateway: str, folder: Path) -> None:
    _run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", "install")
    _run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCKS / f"{gateway}.txt"))


def _install_node(gateway: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise BenchError(f"{gateway} is installed with npm, and there is none")
    shutil.copytree(LOCKS / gateway, folder)
    _run(npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)


def _run(*command: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=_INSTALL_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BenchError(f"{' '.join(command[:4])} … took more than {_INSTALL_SECONDS} s") from None
    if done.returncode:
        raise BenchError(f"{' '.join(command[:4])} … failed: {(done.stderr or done.stdout).strip()[-1000:]}")
