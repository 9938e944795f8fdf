"""Claude Code, headless, against the service: a key from `crouter keys`, tools, refusals, an interruption."""

import asyncio
import json
import os
import signal
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import claude_agent_sdk
import pytest

from crouter.simulator import Attempt
from tests.behaviour.service import MODEL, Service, environment, until
from tests.clients.books import assert_books_agree, reported
from tests.clients.conftest import GENERATED

CLAUDE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
RUN_SECONDS = 60
TRUSTED: dict[str, str] = {}
"""What a session is told about whom to trust, beside the system's authorities."""

pytestmark = pytest.mark.skipif(not CLAUDE.exists(), reason="SKIPPED: the claude binary is not installed")


@dataclass(frozen=True)
class Ended:
    """A session that is over."""

    status: int
    said: str


async def start(
    service: Service, folder: Path, key: str, *arguments: str, model: str = MODEL
) -> asyncio.subprocess.Process:
    """Starts a session with a home and a working folder of its own."""
    home, work = folder / "home", folder / "work"
    for place in (home, work):
        place.mkdir(exist_ok=True)
    return await asyncio.create_subprocess_exec(
        *(str(CLAUDE), "--model", model, *arguments),
        cwd=work,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(folder),
            "ANTHROPIC_BASE_URL": service.url,
            "ANTHROPIC_API_KEY": key,
            "ANTHROPIC_SMALL_FAST_MODEL": MODEL,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": MODEL,
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            **TRUSTED,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(claude: asyncio.subprocess.Process) -> Ended:
    """Waits for the end of a session, and kills one that has none."""
    try:
        async with asyncio.timeout(RUN_SECONDS):
            out, _ = await claude.communicate()
    finally:
        if claude.returncode is None:
            claude.kill()
            await claude.wait()
    assert claude.returncode is not None
    return Ended(claude.returncode, out.decode())


async def key_from_the_command(service: Service) -> tuple[str, uuid.UUID]:
    """What an operator does: a new key for the account, made by `crouter keys` in a process of its own."""
    command = "from crouter.cli.main import run; run()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", command, "keys", "rotate", str(service.account), "--purpose", "a test", "--json"),
        cwd=GENERATED.parent,
        env={"PATH": os.environ["PATH"], **environment(service.dsn, service.simulator.url)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    made = json.loads(out)
    return made["api_key"], uuid.UUID(made["id"])


def billed(service: Service) -> list[Attempt]:
    return [attempt for attempt in service.simulator.ledger if reported(attempt) is not None]


async def test_a_session_with_tools_works_and_every_attempt_is_in_the_books(service: Service, tmp_path: Path) -> None:
    key, key_id = await key_from_the_command(service)
    note = tmp_path / "note.txt"
    note.write_text("the note says walrus")
    prompt = f"use the Bash tool to run: echo hel''lo\nuse the Read tool on: {note}"
    session = await ended(await start(service, tmp_path, key, "-p", prompt, "--allowedTools", "Bash(echo:*)", "Read"))
    assert session.status == 0, session.said
    assert "the note says walrus" in session.said
    asked = billed(service)
    assert len(asked) >= 3
    assert any(b"hello" in attempt.request.body for attempt in asked[1:] if attempt.request)
    assert asked[-1].usage is not None
    assert asked[-1].usage["cache_read_input_tokens"] > 0
    await assert_books_agree(service, len(asked), key_id)


async def test_a_wrong_key_is_told_in_our_words(service: Service, tmp_path: Path) -> None:
    session = await ended(await start(service, tmp_path, "sk-cr-wrong", "-p", "hi"))
    assert session.status != 0
    assert "invalid API key" in session.said
    assert len(service.simulator.ledger) == 0


async def test_a_model_without_a_price_is_told_in_our_words(service: Service, tmp_path: Path) -> None:
    session = await ended(await start(service, tmp_path, service.key, "-p", "hi", model="claude-imaginary"))
    assert session.status != 0
    assert "has no price here" in session.said
    assert billed(service) == []


async def test_an_interrupted_session_is_settled_by_what_was_reported(service: Service, tmp_path: Path) -> None:
    prompt = "simulate: slow 20s\nsimulate: long 9000"
    claude = await start(service, tmp_path, service.key, "-p", prompt)
    await until(lambda: any(attempt.outcome == "open" for attempt in billed(service)), RUN_SECONDS)
    claude.send_signal(signal.SIGINT)
    await ended(claude)
    await service.simulator.ledger.settled()
    assert [attempt.outcome for attempt in billed(service)].count("client_left") == 1
    await assert_books_agree(service, len(billed(service)))
