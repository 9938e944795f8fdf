"""Mails as a worker of its own process sends them: also when it is killed in the middle."""

import asyncio
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.service import environment
from tests.contract.smtp.server import MailSink, mail_server
from tests.unit.runtime.retention.databases import ROOT, Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

PROGRAM = ROOT / "tests" / "unit" / "runtime" / "retention" / "retention_process.py"
INSERT = (
    'INSERT INTO outbox (id, account_id, template, "values", created_at, state, attempts, next_at)'
    ' VALUES (%s, %s, \'low_balance\', \'{"balance": "1000000000", "threshold": "5000000000"}\', now(),'
    " 'waiting', 0, now())"
)


class Workers:
    """Starts worker processes; what still runs at the end of a test is killed."""

    def __init__(self, declared: Declared, database: TestDatabase) -> None:
        self._folder, self._database = declared.folder, database
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, port: int, **environ: str) -> "subprocess.Popen[bytes]":
        mail = {
            "CROUTER_SMTP_URL": f"smtp://localhost:{port}",
            "CROUTER_MAIL_FROM": "mail@crouter.dev",
        }
        worker = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self._folder)],
            cwd=ROOT,
            env={
                "PYTHONPATH": str(ROOT),
                **environment(self._database.dsn, "http://127.0.0.1:1"),
                **mail,
                **environ,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.append(worker)
        return worker

    def end_all(self) -> None:
        for worker in self._started:
            if worker.poll() is None:
                worker.kill()
            worker.wait()


@pytest.fixture
def workers(declared: Declared, database: TestDatabase) -> Iterator[Workers]:
    started = Workers(declared, database)
    yield started
    started.end_all()


def enqueue(database: TestDatabase, account: uuid.UUID) -> uuid.UUID:
    mail = uuid.uuid4()
    database.execute(INSERT, mail, account)
    database.execute("SELECT pg_notify('crouter_jobs', 'mail')")
    return mail


async def taken(sink: MailSink, count: int) -> None:
    async with asyncio.timeout(40):
        while len(sink.accepted) < count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


async def sent(database: TestDatabase, count: int) -> None:
    async with asyncio.timeout(40):
        while database.value("SELECT count(*) FROM outbox WHERE state = 'sent'") < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_worker_that_is_killed_while_it_sends_loses_no_mail(database: TestDatabase, workers: Workers) -> None:
    account = database.account(email="ada@example.org")
    mails = {enqueue(database, account) for _ in range(3)}
    async with mail_server() as sink:
        sink.faults.silent_seconds = 60
        first = workers.start(sink.port)
        await taken(sink, 1)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert database.value("SELECT count(*) FROM outbox WHERE state = 'waiting'") == 3
        # Its claim ends after minutes; the clock is moved instead.
        database.execute("UPDATE outbox SET next_at = now()")
        sink.faults.silent_seconds = 0
        workers.start(sink.port)
        await taken(sink, 4)
        await sent(database, 3)
        mails.add(enqueue(database, account))
        await taken(sink, 5)
    ids = [accepted.message["Message-ID"] for accepted in sink.accepted]
    assert len(ids) == 5
    assert set(ids) == {f"<{mail}@crouter.dev>" for mail in mails}, "the one that came twice has one id"


async def test_two_workers_send_each_mail_once_and_leave_evidence(database: TestDatabase, workers: Workers) -> None:
    account = database.account()
    async with mail_server() as sink:
        workers.start(sink.port)
        workers.start(sink.port)
        for _ in range(20):
            enqueue(database, account)
        await sent(database, 20)
    ids = [accepted.message["Message-ID"] for accepted in sink.accepted]
    assert len(ids) == len(set(ids)) == 20
    async with asyncio.timeout(40):
        while not database.value("SELECT count(finished_at) FROM job_run WHERE name = 'mail'"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_worker_in_production_names_what_it_misses(declared: Declared, database: TestDatabase) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(declared.folder)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "DATABASE_URL": database.dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "CROUTER_SMTP_URL: not set" in done.stderr
    assert "CROUTER_MAIL_FROM: not set" in done.stderr


def test_mails_of_development_are_files(
    declared: Declared, database: TestDatabase, workers: Workers, tmp_path: Path
) -> None:
    mail = enqueue(database, database.account(email="ada@example.org"))
    workers.start(1, CROUTER_SMTP_URL="", CROUTER_MAIL_FOLDER=str(tmp_path / "mail"))
    written = tmp_path / "mail" / f"{mail}.eml"

    async def wait() -> None:
        async with asyncio.timeout(40):
            while not written.exists():  # noqa: ASYNC110 - a folder tells nobody
                await asyncio.sleep(0.02)

    asyncio.run(wait())
    assert written.stat().st_mode & 0o777 == 0o600
    assert b"To: ada@example.org" in written.read_bytes()
    assert [path.name for path in (tmp_path / "mail").iterdir()] == [f"{mail}.eml"]
