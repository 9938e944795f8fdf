"""The mock upstream and the load, in C: compiled once, kept beside what make keeps.

No packaged tool sends a stream event by event with the time of sending in it, and Python cannot drive what nginx
serves.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from bench.errors import BenchError
from bench.proxying.processes import CACHE

SOURCES = Path(__file__).with_name("native")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")


def compiled(name: str) -> Path:
    """The program `native/NAME.c`, compiled unless that has been done. Raises BenchError."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(SOURCES.iterdir())))
    program = CACHE / "native" / f"{name}-{digest.hexdigest()[:16]}"
    if program.exists():
        return program
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise BenchError("the load and the upstream are compiled here, and there is no C compiler (Debian: gcc)")
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f"{program.name}.{os.getpid()}")
    command = [compiler, *FLAGS, "-o", str(unfinished), str(SOURCES / f"{name}.c")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)  # noqa: S603
    if done.returncode:
        raise BenchError(f"{name}.c does not compile: {done.stderr.strip()[:2000]}")
    unfinished.rename(program)
    return program
