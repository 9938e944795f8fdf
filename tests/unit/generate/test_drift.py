import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from crouter.generate.drift import DIFF_LINES_MAX, find_drift
from crouter.generate.emit import emit
from crouter.generate.history import FOLDER
from crouter.generate.tree import read_tree
from crouter.generate.versions import INDEX
from tests.cases.generate.cases import whole_policy

POLICY = whole_policy()
CONTACT = "service/__init__.py"


@pytest.fixture(scope="module")
def in_step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in_step") / "generated"
    emit(POLICY, folder)
    return folder


@pytest.fixture
def generated(in_step: Path, tmp_path: Path) -> Path:
    shutil.copytree(in_step, tmp_path / "generated")
    return tmp_path / "generated"


def found(generated: Path, edits: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
    policy = whole_policy(edits) if edits else POLICY
    return [(difference.path, difference.kind, difference.mend) for difference in find_drift(policy, generated)]


def mending(generated: Path, path: str) -> str:
    return f"git checkout -- {generated / path}" if path.startswith(FOLDER) or path == INDEX else "crouter generate"


def test_a_tree_in_step_has_no_difference(generated: Path) -> None:
    assert found(generated) == []


def test_a_changed_byte_is_found_wherever_it_is(generated: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)  # noqa: S311 - test data
    for path, content in read_tree(generated).items():
        assert content is not None
        position = dice.choice((0, len(content) - 1, dice.randrange(len(content))))
        changed = bytearray(content)
        changed[position] ^= 1 << dice.randrange(8)
        (generated / path).write_bytes(changed)
        assert (path, "changed", mending(generated, path)) in found(generated), f"seed {seed}, byte {position}"
        (generated / path).write_bytes(content)
    assert found(generated) == []


@pytest.mark.parametrize("path", ["service/proxy.py", "MANIFEST.json", "database/schema.sql"])
def test_line_ends_count(generated: Path, path: str) -> None:
    content = (generated / path).read_bytes()
    for changed in (content.replace(b"\n", b"\r\n"), content[:-1], content + b"\n", b"\xef\xbb\xbf" + content, b""):
        (generated / path).write_bytes(changed)
        assert found(generated) == [(path, "changed", "crouter generate")]


def test_missing_and_stale_files_are_found(generated: Path) -> None:
    (generated / "service" / "proxy.py").unlink()
    (generated / "service" / "extra.py").write_text("EXTRA = 1\n")
    (generated / "service" / "__pycache__").mkdir()
    (generated / "service" / "__pycache__" / "proxy.pyc").write_bytes(b"\0")
    assert found(generated) == [
        ("service/extra.py", "stale", "crouter generate"),
        ("service/proxy.py", "missing", "crouter generate"),
    ]


def test_a_missing_tree_is_missing_file_by_file(tmp_path: Path) -> None:
    assert {kind for _, kind, _ in found(tmp_path / "generated")} == {"missing"}


def test_a_link_is_no_file_of_ours(generated: Path, tmp_path: Path) -> None:
    (generated / "service").rename(tmp_path / "service")
    (generated / "service").symlink_to(tmp_path / "service")
    paths = {path: kind for path, kind, _ in found(generated)}
    assert paths["service"] == "stale"
    assert paths["service/proxy.py"] == "missing"


def test_a_damaged_migration_is_restored_and_hides_no_other_difference(generated: Path) -> None:
    migration = "database/migrations/20250105000000_initial.sql"
    (generated / migration).write_bytes(b"")
    (generated / CONTACT).write_bytes(b"")
    assert found(generated) == [
        (migration, "changed", mending(generated, migration)),
        (CONTACT, "changed", "crouter generate"),
    ]


def test_a_change_of_the_policy_shows_as_a_diff_of_what_it_changes(generated: Path) -> None:
    differences = find_drift(whole_policy({"controller.contact": "privacy@example.com"}), generated)
    (diff,) = (difference.diff for difference in differences if difference.path == CONTACT)
    assert '-        contact="contact@crouter.dev",' in diff.splitlines()
    assert '+        contact="privacy@example.com",' in diff.splitlines()


def test_a_change_that_destroys_names_what_in_the_command(generated: Path) -> None:
    mends = {mend for _, _, mend in found(generated, {"data.usage.fields.model": None})}
    assert mends == {"crouter generate --destroy usage.model"}


def test_a_diff_is_bounded_and_shows_what_the_eye_misses(generated: Path) -> None:
    path = generated / "database" / "schema.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (difference,) = find_drift(POLICY, generated)
    assert len(difference.diff.splitlines()) == DIFF_LINES_MAX + 1
    assert "\\r" in difference.diff
    path.write_bytes(b"x" * 1_000_000)
    (difference,) = find_drift(POLICY, generated)
    assert len(difference.diff) < 30_000


def test_an_interrupted_run_is_named_for_what_it_is(generated: Path) -> None:
    generated.rename(generated.with_name(".generated.old"))
    assert found(generated) == [("MANIFEST.json", "missing", "crouter generate")]
