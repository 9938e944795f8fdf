"""Lets no service begin under a version of the policy whose notice was not given, or whose day has not come.

Only significant versions are held to it, and only in production: a developer tries what is to be announced.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.policy_history import Version, read_policy_history
from crouter.runtime.publishing.notice import earliest_day
from crouter.runtime.publishing.record import PublishedVersions

OLD: Final = timedelta(days=365)
"""What has been in effect for so long needs no proof any more: the record of it may have come to its end."""


class UnannouncedVersionError(Exception):
    """The version may not be in force yet. The message says what to do."""


async def require_announced(deployment: Deployment, generated: Path, database: Database, now: datetime) -> None:
    """Raises UnannouncedVersionError, HistoryUnreadableError, DatabaseError."""
    version = _current(deployment, generated)
    if version is None or not version.significant:
        return
    effective = date.fromisoformat(version.effective)
    if effective > now.date():
        raise UnannouncedVersionError(
            f"version {version.version} of the policy takes effect on {version.effective}: until then the release "
            "before it stays in service"
        )
    record = PublishedVersions(deployment, database)
    if deployment.policy_notice is None or not record.is_declared or now.date() - effective > OLD:
        return
    published = await record.find(version.name)
    if published is None or published.announced_at is None:
        raise UnannouncedVersionError(
            f"version {version.version} of the policy changes it significantly, and nobody was told: give it a later "
            "day in policy.yaml and run `crouter publish`"
        )
    if earliest_day(published.announced_at, deployment.policy_notice) > effective:
        raise UnannouncedVersionError(
            f"version {version.version} of the policy was announced too late for its day, {version.effective}: give "
            "it a later one in policy.yaml, and publish that"
        )


def _current(deployment: Deployment, generated: Path) -> Version | None:
    """The version that this deployment was generated from."""
    versions = read_policy_history(generated)
    return next((version for version in versions if version.version == deployment.policy_version), None)
