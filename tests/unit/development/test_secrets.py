"""Development secrets are made once and come together or not at all."""

from pathlib import Path

import pytest

from crouter.development.errors import DevelopmentError
from crouter.development.secrets import LATER_NAMES, NAMES, ensure_secrets, read_secrets
from crouter.development.state_folder import StateFolder
from crouter.runtime.settings import read_store_settings


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def test_they_are_made_once_for_their_owner_only(folder: StateFolder) -> None:
    assert read_secrets(folder) is None
    made = ensure_secrets(folder)
    assert ensure_secrets(folder) == read_secrets(folder) == made
    assert folder.secrets_file.stat().st_mode & 0o777 == 0o600


def test_the_service_takes_them(folder: StateFolder) -> None:
    settings = read_store_settings({**ensure_secrets(folder), "DATABASE_URL": "postgresql://postgres@/crouter"})
    assert settings.sealing.newest.key != settings.lookup.newest.key


def test_a_file_of_an_earlier_version_is_given_what_it_lacks_and_keeps_the_rest(folder: StateFolder) -> None:
    earlier = {name: value for name, value in ensure_secrets(folder).items() if name not in LATER_NAMES}
    folder.secrets_file.write_text("".join(f"{name}={value}\n" for name, value in earlier.items()), encoding="utf-8")
    assert read_secrets(folder) == earlier
    later = ensure_secrets(folder)
    assert {**later, **earlier} == later == read_secrets(folder)
    assert set(later) == {*NAMES, *LATER_NAMES}


def test_two_projects_have_different_ones(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(ensure_secrets(StateFolder(tmp_path / name)))
    assert set(made[0].values()).isdisjoint(made[1].values())


@pytest.mark.parametrize("text", ["", f"{NAMES[0]}=1:x\n", f"{NAMES[0]}=\n{NAMES[1]}=\n"])
def test_a_file_without_both_is_told_and_kept(folder: StateFolder, text: str) -> None:
    folder.secrets_file.write_text(text, encoding="utf-8")
    with pytest.raises(DevelopmentError, match="does not hold"):
        ensure_secrets(folder)
    assert folder.secrets_file.read_text(encoding="utf-8") == text
