"""A significant version is in force on its day, and only where everybody was told in time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crouter.runtime.publishing.record import PublishedVersions
from crouter.runtime.publishing.require import UnannouncedVersionError, require_announced
from tests.unit.runtime.jobs.jobs import worker
from tests.unit.runtime.publishing.histories import Said, first_policy, generate_versions, longer
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

DAY = date(2027, 3, 1)
MORNING = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    folder: Path = tmp_path_factory.mktemp("generated")
    return generate_versions(folder, first_policy(), longer(first_policy(), DAY))


@pytest.mark.claim("change-notify", by="policy_notice")
@pytest.mark.parametrize(
    ("announced", "now", "refused"),
    [
        (MORNING - timedelta(days=14), MORNING, None),
        (MORNING - timedelta(days=30), MORNING + timedelta(days=90), None),
        (MORNING - timedelta(days=14), MORNING - timedelta(seconds=1), "takes effect on 2027-03-01"),
        (MORNING - timedelta(days=14) + timedelta(seconds=1), MORNING, "too late"),
        (MORNING + timedelta(days=1), MORNING + timedelta(days=2), "too late"),
        (None, MORNING, "nobody was told"),
        (None, MORNING + timedelta(days=400), None),
    ],
)
async def test_change_notify__no_service_begins_under_a_version_that_was_not_announced_in_time(
    announced: datetime | None,
    now: datetime,
    refused: str | None,
    said: Said,
    database: TestDatabase,
    declared: Declared,
) -> None:
    async with worker(declared, database.dsn, []) as node:
        record = PublishedVersions(said.deployment, node.context.database)
        await record.publish("2.0", said.deployment.policy_digest, MORNING, now)
        if announced is not None:
            await record.announced("2.0", announced)
            await record.announced("2.0", announced + timedelta(days=500))
        if refused is None:
            await require_announced(said.deployment, said.generated, node.context.database, now)
        else:
            with pytest.raises(UnannouncedVersionError, match=refused):
                await require_announced(said.deployment, said.generated, node.context.database, now)


async def test_a_version_that_was_never_published_here_is_not_announced(
    said: Said, database: TestDatabase, declared: Declared
) -> None:
    async with worker(declared, database.dsn, []) as node:
        with pytest.raises(UnannouncedVersionError, match="nobody was told"):
            await require_announced(said.deployment, said.generated, node.context.database, MORNING)
        silent = replace(said.deployment, policy_notice=None)
        await require_announced(silent, said.generated, node.context.database, MORNING)


async def test_what_changes_little_needs_no_notice(tmp_path: Path, database: TestDatabase, declared: Declared) -> None:
    first = generate_versions(tmp_path, first_policy())
    async with worker(declared, database.dsn, []) as node:
        await require_announced(first.deployment, first.generated, node.context.database, MORNING)


async def test_publishing_twice_is_publishing_once(said: Said, database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, []) as node:
        record = PublishedVersions(said.deployment, node.context.database)
        for later in range(2):
            await record.publish("2.0", "digest", MORNING, MORNING - timedelta(days=20 - later))
        found = await record.find("2.0")
        assert found is not None
        assert (found.published_at, found.announced_at) == (MORNING - timedelta(days=20), None)
        assert await record.find("9.9") is None
