"""`crouter generate` writes all files or none and says what changed."""

from pathlib import Path

from crouter.policy.reference import policy_reference
from tests.unit.cli.conftest import Command, edit


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_run_writes_everything_and_names_the_migration(project: Path, command: Command) -> None:
    outcome = command("generate")
    assert outcome.status == 0
    assert (project / "generated" / "MANIFEST.json").is_file()
    assert "migration  database/migrations/" in outcome.out


def test_the_second_run_has_nothing_to_write(project: Path, command: Command) -> None:
    command("generate")
    before = files(project)
    outcome = command("generate")
    assert (outcome.status, files(project)) == (0, before)
    assert "nothing to write" in outcome.out


def test_a_policy_with_problems_writes_nothing(project: Path, command: Command) -> None:
    edit(project, "of: [usage], keep: P12M", "of: [usage], keep: 12 months")
    edit(project, "language: 1\n", "language: 1\nlangauge: 1\n")
    outcome = command("generate")
    assert outcome.status == 1
    assert not (project / "generated").exists()
    lines = outcome.err.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("policy.yaml:")] == ["PM-01", "PM-06"]
    assert outcome.out == ""


def test_a_missing_policy_is_a_problem_and_no_traceback(project: Path, command: Command) -> None:
    outcome = command("generate", "--policy", "elsewhere.yaml")
    assert outcome.status == 1
    assert outcome.err.startswith("elsewhere.yaml: PY-01")


def test_a_changed_value_is_listed_by_the_files_it_changes(project: Path, command: Command) -> None:
    command("generate")
    edit(project, "contact@crouter.dev", "privacy@crouter.dev")
    outcome = command("generate")
    assert "policy/privacy-policy.html" in outcome.out
    assert "migration" not in outcome.out


def remove_line(project: Path, beginning: str) -> None:
    policy = project / "policy.yaml"
    lines = policy.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(beginning)]
    assert len(kept) == len(lines) - 1
    policy.write_text("".join(kept), encoding="utf-8")


def test_what_destroys_data_is_done_only_by_name(project: Path, command: Command) -> None:
    command("generate")
    before = files(project / "generated")
    remove_line(project, "      web_search_requests: ")
    refused = command("generate")
    assert refused.status == 1
    assert "`crouter generate --destroy usage.web_search_requests`" in refused.err
    assert files(project / "generated") == before
    confirmed = command("generate", "--destroy", "usage.web_search_requests")
    assert confirmed.status == 0
    assert "migration  database/migrations/" in confirmed.out


def test_a_changed_migration_is_restored_and_not_generated_over(project: Path, command: Command) -> None:
    command("generate")
    migration = next((project / "generated" / "database" / "migrations").glob("*.sql"))
    migration.write_text(migration.read_text(encoding="utf-8") + "-- more\n", encoding="utf-8")
    outcome = command("generate")
    assert outcome.status == 1
    assert f"git checkout -- generated/database/migrations/{migration.name}" in outcome.err


def test_another_policy_and_folder_are_named_in_the_hints(project: Path, command: Command) -> None:
    (project / "policy.yaml").rename(project / "other.yaml")
    options = ("--policy", "other.yaml", "--output", "out")
    assert command("generate", *options).status == 0
    (project / "out" / "MANIFEST.json").write_text("", encoding="utf-8")
    assert "crouter generate --policy other.yaml --output out" in command("check", *options).out


def test_a_folder_of_somebody_else_is_left_alone(project: Path, command: Command) -> None:
    (project / "photos").mkdir()
    (project / "photos" / "cat.jpg").write_bytes(b"cat")
    outcome = command("generate", "--output", "photos")
    assert outcome.status == 1
    assert files(project / "photos") == {project / "photos" / "cat.jpg": b"cat"}


def test_the_reference_is_renewed_where_the_project_keeps_one(project: Path, command: Command) -> None:
    command("generate")
    assert not (project / "docs").exists()
    (project / "docs").mkdir()
    reference = project / "docs" / "policy-reference.md"
    reference.write_text("old\n", encoding="utf-8")
    checked = command("check")
    assert checked.status == 2
    assert "changed  docs/policy-reference.md" in checked.out
    assert command("generate").status == 0
    assert reference.read_text(encoding="utf-8") == policy_reference()
    assert command("check").status == 0
