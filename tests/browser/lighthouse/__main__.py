"""Lets Lighthouse judge every page: accessibility and best practices have to be 100 of 100.

Too slow for the ordinary tests; `make lighthouse` runs it. Needs an installed Chromium, and Lighthouse from its own
lock file. Exits 1 if a page has less, and says why.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp

from crouter.embedded import Cluster, PostgresBinaries
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.identity.session_cookie import COOKIE
from tests.behaviour.deployment import generate_into
from tests.behaviour.past import live_through
from tests.behaviour.service import Service, serving

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
LIGHTHOUSE: Final = HERE / "node_modules" / "lighthouse" / "cli" / "index.js"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CATEGORIES: Final = ("accessibility", "best-practices")
PUBLIC: Final = ("/", "/pricing", "/status", "/sign-in", "/privacy", "/privacy/history", "/privacy/proof")
OWN: Final = (
    "/dashboard",
    "/dashboard/usage",
    "/dashboard/keys",
    "/dashboard/balance",
    "/dashboard/setup",
    "/account/privacy",
)
RUN_SECONDS: Final = 120


async def main() -> int:
    """Judges every page; gives the exit status."""
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None or not LIGHTHOUSE.is_file():
        sys.stderr.write("Lighthouse or a Chromium to run it with is not installed.\n")
        return 1
    failed = False
    async with site() as service:
        cookie = await signed_in(service)
        for path in (*PUBLIC, *OWN):
            report = await asyncio.to_thread(judged, f"{service.url}{path}", chromium, cookie if path in OWN else "")
            scores = {name: report["categories"][name]["score"] for name in CATEGORIES}
            told = ", ".join(f"{name} {round((score or 0) * 100)}" for name, score in scores.items())
            sys.stdout.write(f"{path}: {told}\n")
            for finding in findings(report) if any(score != 1 for score in scores.values()) else ():
                failed = True
                sys.stdout.write(f"  {finding}\n")
    return int(failed)


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[Service]:
    """A service with an account that has used something."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "node_modules").symlink_to((ROOT / "node_modules").resolve())
        whole = generate_into(folder / "generated")
        with Cluster(folder / "postgres", PostgresBinaries.embedded(), durable=False).start() as server:
            dsn = server.ensure_database("site")
            migrate(dsn, whole.migrations, Origin.of(whole.deployment), plain_postgres=True)
            async with serving(whole.deployment, dsn, whole.folder, show_dashboard=True) as service:
                await live_through(service)
                yield service


async def signed_in(service: Service) -> str:
    """The cookie of somebody who has signed in."""
    headers = {"sec-fetch-site": "same-origin"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{service.url}/sign-in", data={}, headers=headers, allow_redirects=False) as answer,
    ):
        return f"{COOKIE}={answer.cookies[COOKIE].value}"


def judged(url: str, chromium: str, cookie: str) -> dict[str, Any]:
    """Lighthouse's report of one page."""
    command = ["node", str(LIGHTHOUSE), url, "--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}"]
    command += ["--chrome-flags=--headless=new --no-sandbox", f"--extra-headers={json.dumps({'Cookie': cookie})}"]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        timeout=RUN_SECONDS,
        env={"CHROME_PATH": chromium, "PATH": os.environ["PATH"]},
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def findings(report: dict[str, Any]) -> list[str]:
    """What took points away."""
    weighed = [
        item["id"] for name in CATEGORIES for item in report["categories"][name]["auditRefs"] if item["weight"] > 0
    ]
    audits = (report["audits"][name] for name in weighed)
    return [
        f"{audit['id']}: {audit['title']} {json.dumps(audit.get('details', {}).get('items', []))[:600]}"
        for audit in audits
        if audit["score"] not in (None, 1)
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
