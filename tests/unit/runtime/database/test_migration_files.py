"""Which files are migrations, and in which order."""

import hashlib
from pathlib import Path

import pytest

from crouter.runtime.database.migration_files import MigrationsRefusedError, read_migrations


def test_migrations_are_read_oldest_first_with_their_digests(tmp_path: Path) -> None:
    (tmp_path / "20260202000000_later.sql").write_bytes(b"SELECT 2;")
    (tmp_path / "20250101000000_first_one.sql").write_bytes("SELECT 'ä';\n".encode())
    (tmp_path / "history.json").write_text("{}")
    first, later = read_migrations(tmp_path)
    assert (first.version, first.name, first.statements) == ("20250101000000", "first_one", "SELECT 'ä';\n")
    assert first.sha256 == hashlib.sha256("SELECT 'ä';\n".encode()).hexdigest()
    assert later.file_name == "20260202000000_later.sql"


@pytest.mark.parametrize("name", ["1_short.sql", "20250101000000_Upper.sql", "20250101000000.sql", "x.sql"])
def test_a_file_of_another_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationsRefusedError, match=name.replace(".", r"\.")):
        read_migrations(tmp_path)


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "20250101000000_a.sql").write_text("SELECT 1;")
    (tmp_path / "20250101000000_b.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationsRefusedError, match="same version"):
        read_migrations(tmp_path)


def test_a_folder_without_any_says_to_generate(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(MigrationsRefusedError, match="crouter generate"):
            read_migrations(folder)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "20250101000000_a.sql").write_bytes(b"\xff")
    with pytest.raises(MigrationsRefusedError, match="UTF-8"):
        read_migrations(tmp_path)
