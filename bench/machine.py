"""Says on what was measured: processor, memory, kernel, versions. Leaves out whatever names the machine."""

import os
import platform
import re
import shlex
import subprocess
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path

from crouter.runtime.compiled.use import fitting

LIBRARIES = ("aiohttp", "uvloop", "psycopg", "pydantic", "jinja2")


def facts(**further: str) -> dict[str, str]:
    """What was measured on and with, in words; `further` is added at the end."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "compiled by": _compilers(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}, {libraries}",
        "load average at the start": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **further,
    }


def program_version(*command: str) -> str:
    """The version number in what a program says about itself."""
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return found[0] if found else "of unknown version"


def _compilers() -> str:
    """What has compiled Crouter's data path, as it is installed now."""
    if fitting() is None:
        return "nothing: Crouter runs its sources"
    command = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
    return f"mypyc {version('mypy')}, {Path(command[0]).name} {program_version(*command, '--version')}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()
