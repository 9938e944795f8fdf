"""What .crouter/ holds is its owner's, whole, and used by one run at a time."""

import os
from pathlib import Path

import pytest

from crouter.development.errors import AlreadyRunningError, DevelopmentError
from crouter.development.state_folder import DevelopmentFacts, StateFolder


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder(tmp_path / ".crouter")
    made.make()
    return made


def facts(pid: int) -> DevelopmentFacts:
    return DevelopmentFacts(
        url="http://127.0.0.1:8080",
        api_key="sk-cr-1",
        dashboard_url="http://127.0.0.1:8080/dashboard",
        database_url="postgresql://postgres@/crouter",
        upstream="simulator",
        upstream_url="http://127.0.0.1:1",
        pid=pid,
    )


def test_facts_are_read_as_they_were_written_and_closed_to_others(folder: StateFolder) -> None:
    folder.write_facts(facts(7))
    assert folder.read_facts() == facts(7)
    assert folder.facts_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.path.iterdir()] == ["dev.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', "\xff"])
def test_facts_that_are_of_no_use_are_none(folder: StateFolder, text: str) -> None:
    assert folder.read_facts() is None
    folder.facts_file.write_bytes(text.encode("latin-1"))
    assert folder.read_facts() is None


def test_a_second_run_is_told_where_the_first_one_is(folder: StateFolder) -> None:
    with folder.held():
        folder.write_facts(facts(os.getpid()))
        with pytest.raises(AlreadyRunningError, match="already, on http"), folder.held():
            pass


def test_facts_of_an_earlier_run_are_not_taken_for_the_present_one(folder: StateFolder) -> None:
    folder.write_facts(facts(os.getpid() + 1))
    with folder.held(), pytest.raises(AlreadyRunningError, match="starting or stopping"), folder.held():
        pass


def test_the_folder_is_free_again_afterwards(folder: StateFolder) -> None:
    for _ in range(2):
        with folder.held():
            pass


def test_a_file_that_cannot_be_written_leaves_the_old_one(folder: StateFolder) -> None:
    (folder.path / "busy").mkdir()
    with pytest.raises(DevelopmentError):
        folder.write_private(folder.path / "busy", "text")
    assert [path.name for path in folder.path.iterdir()] == ["busy"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DevelopmentError):
        StateFolder(tmp_path / "file" / ".crouter").make()
