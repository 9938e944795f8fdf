"""`crouter publish`: a version becomes final, and a significant one is told to everybody in time or not published."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Project
from tests.unit.runtime.retention.databases import TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


class Publishing:
    """A project and its database."""

    def __init__(self, project: Project, database: TestDatabase) -> None:
        self.project, self.database = project, database

    def crouter(self, *arguments: str, status: int = 0) -> str:
        done = self.project.crouter(*arguments, DATABASE_URL=self.database.dsn)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def publish(self, *arguments: str) -> dict[str, Any]:
        done = self.project.crouter("publish", "--json", *arguments, DATABASE_URL=self.database.dsn)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def edit(self, effective: str, *edits: tuple[str, str]) -> None:
        """Another version of the policy, in generated/ as well."""
        path = self.project.folder / "policy.yaml"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines = [
            '  version: "2.0"\n'
            if line.startswith("  version:")
            else f"  effective: {effective}\n"
            if line.startswith("  effective:")
            else line
            for line in lines
        ]
        text = "".join(lines)
        for old, new in edits:
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        self.crouter("generate")

    def versions(self) -> dict[str, bool]:
        index = Path(self.project.folder, "generated", "policy", "history", "index.json")
        return {one["version"]: one["frozen"] for one in json.loads(index.read_bytes())["versions"]}


@pytest.fixture
def publishing(project: Project, database: TestDatabase) -> Publishing:
    return Publishing(project, database)


LONGER = ("keep: P12M, from: occurred_at", "keep: P24M, from: occurred_at")


@pytest.mark.claim("change-notify", by="policy_notice")
def test_change_notify__a_significant_version_is_published_with_its_notice_or_not_at_all(
    publishing: Publishing,
) -> None:
    database = publishing.database
    accounts = [database.account() for _ in range(3)]
    first = publishing.publish()
    assert (first["version"], first["significant"], first["mails"]) == ("1.0", False, 0)
    assert publishing.versions() == {"1.0": True}
    assert "published already" in publishing.crouter("publish")

    publishing.edit(day(14), LONGER)
    said = publishing.crouter("publish", status=1)
    assert f"effective: {day(15)}" in said
    assert publishing.versions() == {"1.0": True, "2.0": False}
    assert database.count("outbox") == 0
    assert database.value("SELECT count(*) FROM published_version") == 1

    publishing.edit(day(15), LONGER)
    tried = publishing.publish("--dry-run")
    assert (tried["accounts"], tried["mails"], tried["published"], tried["significant"]) == (3, 0, False, True)
    assert "24 months" in tried["changed"]
    assert publishing.versions() == {"1.0": True, "2.0": False}
    assert database.count("outbox") == 0

    done = publishing.publish()
    assert (done["accounts"], done["mails"], done["published"]) == (3, 3, True)
    assert publishing.versions() == {"1.0": True, "2.0": True}
    assert publishing.publish()["mails"] == 0

    # Cut off before everybody was told: the next one goes on.
    database.execute("UPDATE published_version SET announced_at = NULL WHERE name = '2.0'")
    database.execute("DELETE FROM outbox WHERE account_id = %s", accounts[0])
    again = publishing.publish()
    assert (again["mails"], database.count("outbox")) == (1, 3)
    assert database.value("SELECT announced_at IS NOT NULL FROM published_version WHERE name = '2.0'")

    done_twice = publishing.crouter("generate")
    assert "nothing to write" in done_twice, "what was published stays as it is"


def test_what_changes_little_is_published_without_a_mail(publishing: Publishing) -> None:
    publishing.database.account()
    publishing.publish()
    publishing.edit(day(1), ("label: the real-time dashboard", "label: the live dashboard"))
    done = publishing.publish()
    assert (done["version"], done["significant"], done["mails"]) == ("2.0", False, 0)
    assert publishing.database.count("outbox") == 0


def test_generated_files_that_are_not_in_step_publish_nothing(publishing: Publishing) -> None:
    path = publishing.project.folder / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("requests_per_minute: 50", "requests_per_minute: 51"))
    publishing.crouter("publish", status=2)
    assert publishing.versions() == {"1.0": False}
