"""The retention process: `worker` runs rules and jobs on schedule, `run` the rules now, `check` says what is overdue.

Exit status: 0 done, 1 refused or failed, 2 something is overdue.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn, TextIO

from crouter.contract.deployment import Deployment
from crouter.contract.version import ContractMismatchError, require_contract
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.migrations import Origin, check_database
from crouter.runtime.environment import SettingsError
from crouter.runtime.jobs.running import jobs_running, require_job_settings
from crouter.runtime.log_capture import captured, loop_exception_handler
from crouter.runtime.logs import Log
from crouter.runtime.manifest import StaleGeneratedError, require_manifest
from crouter.runtime.process import HardeningError, harden_process
from crouter.runtime.retention.options import RetentionOptions, RetentionRefusedError
from crouter.runtime.retention.overdue import find_overdue
from crouter.runtime.retention.report import (
    RETENTION_LOG,
    as_json,
    log_overdue,
    log_result,
    overdue_sentence,
    result_sentence,
)
from crouter.runtime.retention.run import run_retention
from crouter.runtime.retention.settings import RetentionSettings, read_retention_settings
from crouter.runtime.retention.worker import run_worker
from crouter.runtime.settings import DatabaseSettings
from crouter.runtime.words import kind_of

MIGRATIONS: Final = Path("database", "migrations")
OVERDUE_STATUS: Final = 2
_REFUSALS: Final = (
    ContractMismatchError,
    DatabaseError,
    HardeningError,
    RetentionRefusedError,
    SettingsError,
    StaleGeneratedError,
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # The usual status for this is 2, which here means that something is overdue.
        self.exit(1, f"crouter: {message}\n")


def work(
    deployment: Deployment,
    generated: Path,
    environ: Mapping[str, str] | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Do what the command line asks, by default work on schedule until SIGTERM or SIGINT. Gives the exit status.

    `environ` and `arguments` are the process's own unless they are given. Results go to standard output, and in
    `worker` log lines; everything else to standard error.
    """
    asked = _parser().parse_args(sys.argv[1:] if arguments is None else list(arguments))
    try:
        require_contract(deployment.contract)
        environ = os.environ if environ is None else environ
        settings = read_retention_settings(environ)
        if asked.mode == "worker":
            require_job_settings(deployment, environ)
        require_manifest(deployment, generated)
        harden_process()
        log = retention_log(deployment, sys.stdout if asked.mode == "worker" else sys.stderr)
        with captured(log):
            if asked.mode == "worker":
                asyncio.run(_work_until_told(settings, deployment, generated, environ, log))
                return 0
            return _do(asked, settings.database_url.reveal(), deployment, generated / MIGRATIONS, log)
    except _REFUSALS as refusal:
        sys.stderr.write(f"crouter: {refusal}\n")
    except OSError as error:
        # Its text may hold a path or an address; what this process reads is generated/ and its settings.
        sys.stderr.write(f"crouter: generated/ cannot be read whole ({kind_of(error)}): run `crouter generate`\n")
    return 1


def retention_log(deployment: Deployment, out: TextIO) -> Log:
    """The declared log stream of retention. Raises RetentionRefusedError when the policy declares none."""
    for stream in deployment.logs:
        if stream.name == RETENTION_LOG:
            return Log(stream, out)
    raise RetentionRefusedError(f"policy.yaml declares no log stream {RETENTION_LOG}: add logging.{RETENTION_LOG}")


def _do(asked: argparse.Namespace, dsn: str, deployment: Deployment, migrations: Path, log: Log) -> int:
    check = check_database(dsn, migrations, Origin.of(deployment))
    if check.state != "in_step":
        raise RetentionRefusedError(check.sentence)
    if asked.mode == "run":
        return _run(asked, dsn, deployment, log)
    return _check(asked, dsn, deployment, log)


def _run(asked: argparse.Namespace, dsn: str, deployment: Deployment, log: Log) -> int:
    options = RetentionOptions(
        rule=asked.rule,
        dry_run=asked.dry_run,
        as_of=asked.as_of,
        allow_future=asked.allow_future,
        share_percent_max=asked.allow_share,
    )
    results = run_retention(dsn, deployment, options, finished=lambda result: log_result(log, result))
    _tell(as_json(results) if asked.json else "\n".join(map(result_sentence, results)))
    return 1 if any(result.outcome in ("failed", "refused") for result in results) else 0


def _check(asked: argparse.Namespace, dsn: str, deployment: Deployment, log: Log) -> int:
    options = RetentionOptions(rule=asked.rule, as_of=asked.as_of, allow_future=asked.allow_future)
    overdue = find_overdue(dsn, deployment, options)
    log_overdue(log, overdue)
    _tell(as_json(overdue) if asked.json else "\n".join(map(overdue_sentence, overdue)) or "nothing is overdue")
    return OVERDUE_STATUS if overdue else 0


async def _work_until_told(
    settings: RetentionSettings, deployment: Deployment, generated: Path, environ: Mapping[str, str], log: Log
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_exception_handler(log))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_workers(settings, deployment, generated, environ, log, stop)


async def run_workers(
    settings: RetentionSettings,
    deployment: Deployment,
    generated: Path,
    environ: Mapping[str, str],
    log: Log,
    stop: asyncio.Event,
) -> None:
    """Work on rules and jobs until `stop` is set. Raises what `run_worker` does."""
    dsn, database = settings.database_url.reveal(), DatabaseSettings(settings.database_url, transaction_pooler=False)
    async with jobs_running(deployment, database, generated, environ, log, stop.is_set) as runner:
        await run_worker(dsn, deployment, generated / MIGRATIONS, log, stop, runner=runner)


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m generated.retention", description=__doc__)
    modes = parser.add_subparsers(dest="mode", parser_class=_Parser)
    parser.set_defaults(mode="worker")
    modes.add_parser("worker", help="run every rule on its schedule (the default)")
    run = modes.add_parser("run", help="run the rules now")
    check = modes.add_parser("check", help="say what should be gone and is not")
    for mode in (run, check):
        mode.add_argument("--rule", metavar="NAME", help="only this rule")
        mode.add_argument("--as-of", type=_moment, metavar="ISO", help="instead of now, such as 2026-01-31T00:00:00Z")
        mode.add_argument("--allow-future", action="store_true", help="for databases of tests")
        mode.add_argument("--json", action="store_true", help="for scripts")
    run.add_argument("--dry-run", action="store_true", help="count, and write nothing")
    run.add_argument(
        "--allow-share",
        type=_percent,
        default=RetentionOptions().share_percent_max,
        metavar="PERCENT",
        help="the largest part of a table that may go in one run (%(default)s)",
    )
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("a moment needs a time zone, such as 2026-01-31T00:00:00Z")
    return moment


def _percent(text: str) -> int:
    percent = int(text)
    if not 1 <= percent <= 100:
        raise argparse.ArgumentTypeError("a share is 1 to 100 percent")
    return percent
