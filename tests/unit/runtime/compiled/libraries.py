"""Libraries that a test may change: small ones, and the real one in links."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def small(folder: Path) -> Path:
    """A library of a few files, each in a part of its own."""
    for name in (
        "crouter/contract/traffic.py",
        "crouter/runtime/usage.py",
        "crouter/runtime/credit/store.py",
        "crouter/runtime/compiled/mypy.ini",
        "crouter/runtime/web/page.css",
        "crouter/cli/main.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    return folder


def linked(package: Path) -> None:
    """What of the library is compiled or read by the compiler. Files are links: never write through them."""
    package.mkdir(parents=True)
    # Without it this is half a namespace, and a whole package anywhere else is found instead.
    (package / "__init__.py").symlink_to(ROOT / "crouter" / "__init__.py")
    for part in ("contract", "runtime"):
        shutil.copytree(ROOT / "crouter" / part, package / part, copy_function=os.symlink, ignore=_all_but_sources)


def _all_but_sources(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or Path(name).suffix not in ("", ".py", ".ini")}
