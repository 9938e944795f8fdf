"""Crouter as it is deployed, everything on, generated from policy.yaml with limits that a benchmark does not reach.

The real generator, a migrated database that fsyncs, an account with credit, a key, and `python -m generated.service`
with its log in a file.
"""

import asyncio
import base64
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.errors import BenchError
from bench.proxying.processes import ROOT, first_line, program
from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries
from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.runtime.administration import administration
from crouter.runtime.compiled.use import INTERPRETED
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.settings import read_store_settings

# A million dollars: no run can spend it.
CREDIT_NANOUSD = 10**15
LIMITS = (
    "limits: {per: api_key, "
    "requests_per_minute: 100000000, requests_per_hour: 1000000000, requests_per_day: 10000000000}"
)
_DECLARED_LIMITS = re.compile(r"limits: \{per: api_key, [^}]*\}")


@dataclass(frozen=True, slots=True)
class Store:
    """A migrated database with one customer, and what the service is told about it."""

    generated: Path
    environ: dict[str, str]
    key: str
    dsn: str

    def usage_rows(self) -> int:
        """How many requests have been metered so far."""
        with psycopg.connect(self.dsn) as connection:
            return sum(int(count) for (count,) in connection.execute("SELECT count(*) FROM crouter.usage"))


def unlimited(policy: str) -> str:
    """The text of policy.yaml with rate limits out of reach. Raises BenchError."""
    text, count = _DECLARED_LIMITS.subn(LIMITS, policy)
    if count != 1:
        raise BenchError("policy.yaml does not say its limits in one line any more; bench/proxying/service.py edits it")
    return text


@contextmanager
def store(policy: Path, folder: Path) -> Iterator[Store]:
    """Generates, starts a database, migrates it and makes a customer. Raises BenchError, ClusterError."""
    loaded = load(unlimited(policy.read_text(encoding="utf-8")))
    if loaded.policy is None:
        raise BenchError(f"policy.yaml has problems, the first is: {loaded.problems[0]}")
    generated = folder / "project" / "generated"
    generated.parent.mkdir()
    emit(loaded.policy, generated)
    deployment = make_plan(loaded.policy).deployment
    with Cluster(folder / "postgres", PostgresBinaries.embedded()).start() as cluster:
        dsn = cluster.ensure_database("bench")
        migrate(dsn, generated / "database" / "migrations", Origin.of(deployment), plain_postgres=True)
        environ = {"DATABASE_URL": dsn, "CROUTER_SEALING_KEYS": _new_key(), "CROUTER_LOOKUP_KEYS": _new_key()}
        yield Store(generated, environ, asyncio.run(_customer(deployment, environ)), dsn)


@contextmanager
def service(
    prepared: Store, upstream: int, folder: Path, *command: str, name: str = "service", interpreted: bool = False
) -> Iterator[tuple[int, int]]:
    """The service process, or another command that starts one: gives process id and port. Raises BenchError.

    It runs what is compiled of the data path, if something is; or, `interpreted`, the sources.
    """
    environ = {
        **prepared.environ,
        "CROUTER_ENVIRONMENT": "development",  # a plain-http upstream on this machine is not for production
        "CROUTER_LISTEN": "127.0.0.1:0",
        "CROUTER_UPSTREAM_URL": f"http://127.0.0.1:{upstream}",
        "ANTHROPIC_API_KEY": "sk-ant-bench",
        "CROUTER_JOURNAL": str(folder / f"{name}-journal"),
        "PYTHONPATH": os.pathsep.join((str(prepared.generated.parent), str(ROOT))),
        **({INTERPRETED: "1"} if interpreted else {}),
    }
    command = command or (sys.executable, "-m", "generated.service")
    log = folder / f"{name}.log"
    with program(*command, environ=environ, folder=prepared.generated.parent, log=log) as process:
        line = first_line(process.stderr)
        if " answers on http://" not in line:
            raise BenchError(f"the service did not start: {line.strip()}")
        yield process.pid, int(line.rpartition(":")[2])


async def _customer(deployment: Deployment, environ: dict[str, str]) -> str:
    async with administration(deployment, read_store_settings(environ)) as stores:
        account = await stores.accounts.create("bench@crouter.invalid", "Bench")
        await stores.accounts.credit(account, CREDIT_NANOUSD)
        return (await stores.keys.create(account)).key.reveal()


def _new_key() -> str:
    return "1:" + base64.b64encode(secrets.token_bytes(32)).decode()
