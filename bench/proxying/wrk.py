"""A second opinion: small JSON by wrk, which is packaged, so that our own load need not be believed."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.errors import BenchError
from bench.proxying.field import Peer
from bench.proxying.traffic import JSON, workloads

SECONDS = 2
CONNECTIONS = 64
_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Api-Key"] = "{key}"
wrk.body = io.open("{body}", "rb"):read("*a")
"""


def wrk_program() -> str | None:
    """Where wrk is installed, or None."""
    return shutil.which("wrk")


def answers_per_second(peer: Peer, key: str) -> float:
    """What wrk counts at 64 connections. Raises BenchError where an answer was no 200."""
    path = wrk_program() or "wrk"
    with tempfile.TemporaryDirectory(prefix="crouter-bench-") as folder:
        body, script = Path(folder, "body"), Path(folder, "post.lua")
        body.write_bytes(workloads()[JSON].body)
        script.write_text(_SCRIPT.format(key=key, body=body), encoding="utf-8")
        address = f"http://127.0.0.1:{peer.port}{peer.dialect.path}"
        command = [path, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "-s", str(script), address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        raise BenchError(f"wrk measured nothing through {peer.name}")
    return float(found[1])
