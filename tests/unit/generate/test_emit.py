from pathlib import Path

import pytest

from crouter.generate.drift import find_drift
from crouter.generate.emit import DestructiveMigrationError, emit
from crouter.generate.history import HistoryDamagedError, read_history
from crouter.generate.tree import TreeError, read_tree
from tests.cases.generate.cases import whole_policy

LOSSY = {"data.usage.fields.model": None, "data.usage.fields.input_tokens": None}


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    emit(whole_policy(), tmp_path / "generated")
    return tmp_path / "generated"


def test_what_was_emitted_is_in_step(generated: Path) -> None:
    assert find_drift(whole_policy(), generated) == ()


def test_a_tree_in_step_is_not_touched(generated: Path) -> None:
    before = generated.stat()
    emitted = emit(whole_policy(), generated)
    assert (emitted.written, emitted.removed) == ((), ())
    assert generated.stat().st_ino == before.st_ino


def test_what_changed_is_named_and_stale_files_go(generated: Path) -> None:
    (generated / "service" / "extra.py").write_text("EXTRA = 1\n")
    emitted = emit(whole_policy({"data.account.label": "facts about you"}), generated)
    assert "service/records/account.py" in emitted.written
    assert "database/migrations/history.json" not in emitted.written
    assert emitted.removed == ("service/extra.py",)


def test_a_migration_that_destroys_is_refused_until_all_of_it_is_named(generated: Path) -> None:
    before = read_tree(generated)
    for named in ((), ("usage.model",), ("usage",)):
        with pytest.raises(DestructiveMigrationError) as caught:
            emit(whole_policy(LOSSY), generated, destroy=named)
        assert caught.value.destroys == ("usage.model", "usage.input_tokens")
        assert "crouter generate --destroy usage.model --destroy usage.input_tokens" in str(caught.value)
        assert read_tree(generated) == before
    emit(whole_policy(LOSSY), generated, destroy=("usage.input_tokens", "usage.model"))
    assert read_history(generated).migrations[-1].destroys == ("usage.model", "usage.input_tokens")
    assert find_drift(whole_policy(LOSSY), generated) == ()


def test_nothing_is_generated_on_a_damaged_history(generated: Path) -> None:
    (generated / "database" / "migrations" / "20250105000000_initial.sql").write_text("-- mine\n")
    before = read_tree(generated)
    with pytest.raises(HistoryDamagedError, match="restore it from version control"):
        emit(whole_policy({"data.account.label": "facts"}), generated)
    assert read_tree(generated) == before


def test_a_folder_that_was_not_generated_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters.txt").write_text("mine")
    with pytest.raises(TreeError, match="was not generated"):
        emit(whole_policy(), tmp_path / "home")
    assert (tmp_path / "home" / "letters.txt").read_text() == "mine"


def test_the_history_survives_a_run_that_was_killed_between_the_renames(generated: Path) -> None:
    edited = whole_policy({"data.account.label": "facts"})
    generated.rename(generated.with_name(".generated.old"))
    emit(edited, generated)
    assert len(read_history(generated).migrations) == 1
    assert find_drift(edited, generated) == ()
    assert not generated.with_name(".generated.old").exists()
