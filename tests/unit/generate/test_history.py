from pathlib import Path

import pytest

from crouter.generate.emit import emit
from crouter.generate.history import HISTORY, History, HistoryDamagedError, read_history
from crouter.generate.migrations import extend_history
from crouter.generate.templates import Templates
from crouter.plan.plan import make_plan
from tests.cases.generate.cases import whole_policy

INITIAL = "database/migrations/20250105000000_initial.sql"


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    emit(whole_policy(), tmp_path / "generated")
    return tmp_path / "generated"


def damaged(generated: Path) -> list[str]:
    with pytest.raises(HistoryDamagedError, match="version control") as caught:
        read_history(generated)
    return [damage.path for damage in caught.value.damages]


def test_nothing_generated_is_an_empty_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "generated") == History.empty()


def test_what_was_written_reads_back_as_itself(generated: Path) -> None:
    plan = make_plan(whole_policy())
    assert read_history(generated) == extend_history(plan, Templates(), History.empty())


@pytest.mark.parametrize("path", [INITIAL, HISTORY])
def test_a_missing_file_is_damage(generated: Path, path: str) -> None:
    (generated / path).unlink()
    assert damaged(generated) == [path]


def test_a_changed_migration_is_damage(generated: Path) -> None:
    with (generated / INITIAL).open("a") as file:
        file.write("\n")
    assert damaged(generated) == [INITIAL]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "null", '{"migrations": 1, "schema": {}}', "[" * 100_000, "\x00", "1e999"]
)
def test_a_history_that_cannot_be_read_is_damage(generated: Path, text: str) -> None:
    (generated / HISTORY).write_text(text)
    assert damaged(generated) == [HISTORY]


def test_every_byte_of_the_history_counts(generated: Path) -> None:
    content = (generated / HISTORY).read_bytes()
    for position in range(0, len(content), max(1, len(content) // 150)):
        changed = bytearray(content)
        changed[position] ^= 1
        (generated / HISTORY).write_bytes(changed)
        assert damaged(generated) == [HISTORY], f"byte {position}"


def test_a_link_in_the_place_of_a_migration_is_damage(generated: Path) -> None:
    (generated / INITIAL).rename(generated / "elsewhere.sql")
    (generated / INITIAL).symlink_to(generated / "elsewhere.sql")
    assert damaged(generated) == [INITIAL]
