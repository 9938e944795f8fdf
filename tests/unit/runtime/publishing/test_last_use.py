"""Beside each account stands the version that was in force when it last used the service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crouter.runtime.publishing.last_use import NOTE_LAST_USE
from tests.unit.runtime.jobs.jobs import worker
from tests.unit.runtime.publishing.histories import first_policy, generate_versions, longer
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


@pytest.mark.claim("change-accept", by="version_at_last_use")
async def test_change_accept__the_version_at_the_last_use_is_known(
    tmp_path: Path, database: TestDatabase, declared: Declared
) -> None:
    now = datetime.now(UTC)
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    said = generate_versions(tmp_path, first_policy(), longer(first_policy(), midnight.date()))
    before, after, both, idle, earlier = (database.account() for _ in range(5))
    for account, times in (
        (before, [midnight - timedelta(seconds=1)]),
        (after, [midnight]),
        (both, [midnight - timedelta(seconds=1), midnight]),
        (earlier, [midnight - timedelta(days=3)]),
    ):
        database.usage(account, database.api_key(account), *times)
    async with worker(declared, database.dsn, []) as node:
        context = replace(node.context, generated=said.generated, now=lambda: midnight + timedelta(hours=1))
        for _ in range(2):
            await NOTE_LAST_USE.run(context)
            assert dict(database.execute("SELECT id, policy_version FROM account")) == {
                before: "1.0",
                after: "2.0",
                both: "2.0",
                idle: None,
                earlier: None,
            }
        written = database.value("SELECT max(xmin::text::bigint) FROM account")
        await NOTE_LAST_USE.run(context)
        assert database.value("SELECT max(xmin::text::bigint) FROM account") == written, "what is known is not written"


def test_the_job_has_nothing_to_do_where_the_policy_keeps_no_such_column(declared: Declared) -> None:
    assert NOTE_LAST_USE.is_needed(declared.deployment)
    account = declared.deployment.record("account")
    fields = tuple(field for field in account.fields if field.name != "policy_version")
    without = replace(
        declared.deployment,
        records=tuple(
            replace(record, fields=fields) if record.name == "account" else record
            for record in declared.deployment.records
        ),
    )
    assert not NOTE_LAST_USE.is_needed(without)
