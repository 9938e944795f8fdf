"""Short words for tests about partitions of usage."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crouter.contract.deployment import Deployment
from crouter.runtime.retention import RetentionOptions, RunResult, run_retention
from tests.unit.runtime.retention.databases import TestDatabase

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR_AGO = datetime(2025, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def make(database: TestDatabase, *moments: datetime, width: str = "1 day") -> None:
    for moment in moments:
        assert database.value("SELECT partition_make('usage', %s::interval, %s)", width, moment)


def run(database: TestDatabase, deployment: Deployment, as_of: datetime = AS_OF, **options: object) -> RunResult:
    asked = RetentionOptions(rule="usage", as_of=as_of, allow_future=True, share_percent_max=100)
    (result,) = run_retention(database.dsn, deployment, replace(asked, **options))  # type: ignore[arg-type]
    return result
