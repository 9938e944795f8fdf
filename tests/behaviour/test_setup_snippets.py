"""What the set-up page says is pasted as it stands, with a key in it, and works."""

import asyncio
import html
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import claude_agent_sdk
import openai
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import RunningCluster
from crouter.runtime.dashboard.snippets import KEY
from crouter.runtime.identity.session_cookie import COOKIE
from tests.behaviour.service import Service, serving

CLAUDE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
RUN_SECONDS = 60
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(
    deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str
) -> AsyncIterator[tuple[Service, str]]:
    """A service and its set-up page, as its development account sees it."""
    copy = sql.SQL("CREATE DATABASE snippets TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    async with (
        serving(deployment, cluster.dsn("snippets"), generated, show_dashboard=True) as service,
        aiohttp.ClientSession() as http,
    ):
        headers = {"sec-fetch-site": "same-origin"}
        async with http.post(f"{service.url}/sign-in", data={}, headers=headers, allow_redirects=False) as signed:
            cookie = f"{COOKIE}={signed.cookies[COOKIE].value}"
        async with http.get(f"{service.url}/dashboard/setup", headers={"cookie": cookie}) as answer:
            assert answer.status == 200
            yield service, await answer.text()


def snippet(page: str, name: str, key: str) -> str:
    """A text of the page, with the key in the place that is meant for it."""
    (text,) = re.findall(rf'<code id="snippet-{name}">(.*?)</code>', page, re.DOTALL)
    assert text.count(KEY) == 1
    return html.unescape(text).replace(KEY, key)


async def run(folder: Path, *command: str, text: str = "", path: str = "") -> str:
    """What a command says. It has a home of its own, and nothing in its environment that points anywhere."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={
            "PATH": os.pathsep.join(filter(None, (path, os.environ["PATH"]))),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(RUN_SECONDS):
        out, err = await process.communicate(text.encode())
    assert process.returncode == 0, (out, err)
    return out.decode()


async def counted(service: Service) -> int:
    """How many requests were counted: what shows that one went all the way."""
    return len(await service.settled("usage"))


@pytest.mark.parametrize("name", ["anthropic", "openai"])
async def test_an_sdk_snippet_prints_an_answer(shown: tuple[Service, str], tmp_path: Path, name: str) -> None:
    service, page = shown
    before = await counted(service)
    out = await run(tmp_path, sys.executable, "-c", snippet(page, name, service.key))
    assert len(out.strip()) > 0
    assert await counted(service) > before


@pytest.mark.skipif(shutil.which("curl") is None, reason="SKIPPED: curl is not installed")
async def test_the_curl_snippet_prints_an_answer(shown: tuple[Service, str], tmp_path: Path) -> None:
    service, page = shown
    before = await counted(service)
    out = await run(tmp_path, "sh", "-c", snippet(page, "curl", service.key))
    assert '"type":"message"' in out.replace(" ", "")
    assert await counted(service) > before


@pytest.mark.skipif(not CLAUDE.exists(), reason="SKIPPED: the claude binary is not installed")
async def test_the_claude_code_snippet_starts_a_session_that_is_answered(
    shown: tuple[Service, str], tmp_path: Path
) -> None:
    service, page = shown
    # `claude` asks at a terminal; with its input from elsewhere it answers once, which is all that a test can wait for.
    before = await counted(service)
    await run(tmp_path, "sh", "-c", snippet(page, "claude-code", service.key), text="Hello", path=str(CLAUDE.parent))
    assert await counted(service) > before


async def test_what_cursor_is_told_is_an_endpoint_that_answers(shown: tuple[Service, str]) -> None:
    service, page = shown
    said = dict(re.findall(r"<dt>(.*?)</dt><dd><code>(.*?)</code></dd>", page))
    async with openai.AsyncOpenAI(
        base_url=said["Override OpenAI Base URL"], api_key=said["OpenAI API Key"].replace(KEY, service.key)
    ) as client:
        stream = await client.chat.completions.create(
            model=said["Add a custom model"], messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text
