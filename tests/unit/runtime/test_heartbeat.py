"""A job that stops is silent: the service notices by the evidence of its runs."""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period, Schedule
from crouter.runtime.database.pool import Database
from crouter.runtime.heartbeat import Heartbeat, watch
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.names import JOB_RUN
from crouter.runtime.retention import RetentionOptions, run_retention
from crouter.runtime.settings import read_store_settings
from tests.unit.runtime.retention.databases import Declared, TestDatabase
from tests.unit.runtime.test_settings import PRODUCTION

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

HOUR = timedelta(hours=1)


def rules(deployment: Deployment) -> Deployment:
    """The same without evidence of jobs, so that rules alone are watched."""
    return replace(deployment, records=tuple(record for record in deployment.records if record.name != JOB_RUN))


def hourly_rules(deployment: Deployment) -> set[str]:
    """Those that run every hour and may be an hour late."""
    return {rule.name for rule in deployment.retention.expire if rule.schedule == Schedule(AN_HOUR, AN_HOUR)}


AN_HOUR = Period("PT1H", months=0, days=0, seconds=3600)


def test_a_rule_is_late_after_its_interval_and_its_lag(declared: Declared) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    deployment = rules(declared.deployment)
    quick = hourly_rules(deployment)
    assert {"usage", "batch"} <= quick
    heartbeat = Heartbeat(deployment, start)
    assert heartbeat.look({}, start + 2 * HOUR) == frozenset()
    assert heartbeat.look({}, start + 2 * HOUR + timedelta(microseconds=1)) == quick
    assert heartbeat.late == quick
    assert heartbeat.look({}, start + 3 * HOUR) == frozenset(), "told once"
    hourly = dict.fromkeys(quick, start + 3 * HOUR)
    assert heartbeat.look(hourly, start + 5 * HOUR) == frozenset()
    assert heartbeat.late == frozenset()
    later = dict.fromkeys(hourly, start + 60 * HOUR)
    retained = deployment.retention
    others = {rule.name for rule in retained.expire} | {rule.name for rule in retained.erase}
    others -= quick
    assert heartbeat.look(later, start + 60 * HOUR) == others
    heartbeat.overdue = frozenset({"requests"})
    assert heartbeat.red == others | {"requests"}


def test_a_job_is_late_as_a_rule_is(declared: Declared) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    heartbeat = Heartbeat(declared.deployment, start)
    assert heartbeat.look({}, start + HOUR + timedelta(minutes=1)) == frozenset()
    assert heartbeat.look({}, start + HOUR + timedelta(minutes=1, microseconds=1)) == {"job.mail"}
    assert heartbeat.look({"job.mail": start + HOUR}, start + 2 * HOUR) == {"job.low_balance"}
    assert heartbeat.late == {"job.low_balance"}


async def watched(
    declared: Declared, dsn: str, heartbeat: Heartbeat, now: datetime, until: Callable[[str], bool]
) -> tuple[list[dict[str, Any]], str]:
    """The log and the metrics once `until` says of the metrics that enough was seen."""
    deployment, out = declared.deployment, io.StringIO()
    (stream,) = (stream for stream in deployment.logs if stream.name == "service")
    metrics = Metrics(deployment.metrics)
    database = Database(read_store_settings({**PRODUCTION, "DATABASE_URL": dsn}), deployment.database_schema)
    await database.open()
    task = asyncio.create_task(watch(heartbeat, database, Log(stream, out, strict=True), metrics, lambda: now, 0.01))
    async with asyncio.timeout(60):
        while not until(metrics.exposition().decode()):  # noqa: ASYNC110 - counters tell nobody that they changed
            await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await database.close()
    return [json.loads(line) for line in out.getvalue().splitlines()], metrics.exposition().decode()


async def test_a_late_job_is_told_once_and_counted_at_every_look(database: TestDatabase, declared: Declared) -> None:
    run_retention(database.dsn, declared.deployment, RetentionOptions())
    now = database.value("SELECT now()")
    declared = replace(declared, deployment=rules(declared.deployment))
    quick = hourly_rules(declared.deployment)
    heartbeat = Heartbeat(declared.deployment, now - timedelta(days=9))
    late = now + 3 * HOUR
    database.execute(
        "INSERT INTO job_run (id, name, started_at, finished_at, outcome)"
        " VALUES (gen_random_uuid(), 'mail', %s, %s, 'running')",
        *(late, late - HOUR),
    )
    told, counted = await watched(
        declared, database.dsn, heartbeat, late, lambda text: 'crouter_retention_late_total{rule="usage"} 3.0' in text
    )
    assert sorted((line["level"], line["event"], line["error"]) for line in told) == [
        ("error", "retention_late", rule) for rule in sorted(quick)
    ]
    assert 'rule="deletion"' not in counted
    assert heartbeat.late == quick


async def test_a_database_that_is_away_says_nothing_about_jobs(declared: Declared) -> None:
    heartbeat = Heartbeat(declared.deployment, datetime(2026, 1, 1, tzinfo=UTC))
    heartbeat.late = frozenset({"usage"})
    nobody = "postgresql://nobody@127.0.0.1:1/none"
    looks = iter(range(20))
    told, _ = await watched(declared, nobody, heartbeat, datetime.now(UTC), lambda text: next(looks) == 19)
    assert told == []
    assert heartbeat.late == {"usage"}, "the last look stays"
