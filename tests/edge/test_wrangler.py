"""Cloudflare's own tool takes the generated configuration. Nothing is installed and nothing is sent."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.edge.conftest import ROOT, edge_files, unchanged

WRANGLER = ROOT / "node_modules" / ".bin" / "wrangler"
# Nothing listens there: a run that needed the network would fail.
NOWHERE = "http://127.0.0.1:9"
SECONDS = 60.0


@pytest.mark.claim("security-edge")
async def test_wrangler_builds_the_worker_without_the_network(tmp_path: Path) -> None:
    if not WRANGLER.exists():
        pytest.skip("THE CONFIGURATION OF THE EDGE WAS NOT TESTED: wrangler is not installed; run npm ci first")
    for path, text in edge_files(unchanged).items():
        (tmp_path / Path(path).name).write_text(text)
    process = await asyncio.create_subprocess_exec(
        str(WRANGLER), "deploy", "--dry-run", "--outdir", str(tmp_path / "out"),
        "--config", str(tmp_path / "wrangler.jsonc"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "CI": "1",
            "WRANGLER_SEND_METRICS": "false", "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE,
        },
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, printed.decode(errors="replace")
    # What it has to say about a configuration names the file.
    assert b"wrangler.jsonc" not in printed, printed.decode(errors="replace")
    assert b"crouter.dev" in (tmp_path / "out" / "worker.js").read_bytes()
