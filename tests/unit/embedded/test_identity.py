import os
import subprocess
import sys
from pathlib import Path

import pytest

from crouter.embedded import ClusterError
from crouter.embedded.identity import Identity, possible_identities, server_identity

OWN = Identity("yourself", os.geteuid(), os.getegid(), ())


def test_the_first_way_that_works_is_chosen() -> None:
    chosen = server_identity()
    assert chosen in possible_identities()
    assert chosen.works()


def test_a_server_never_runs_as_root() -> None:
    seen = subprocess.run(
        server_identity().command(["id", "-u"]), capture_output=True, text=True, check=True, timeout=10
    )
    assert int(seen.stdout) != 0


def test_a_missing_and_a_forbidden_way_do_not_work() -> None:
    assert not Identity("x", 1, 1, ("no-such-program-anywhere",)).works()
    assert not Identity("x", 1, 1, ("false",)).works()


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux tells a child of our death")
def test_root_has_a_second_way_where_namespaces_are_forbidden(nobody: Identity) -> None:
    assert list(possible_identities())[-1] == nobody
    assert nobody.works()
    assert nobody.uid != 0


def test_a_program_whose_starter_is_gone_already_does_not_start() -> None:
    command = OWN.command(["echo", "started"])
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"started\n"
    # The same command line under another parent, as if we had died before it was read.
    orphan = subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", *command], capture_output=True, check=False)
    assert (orphan.returncode, orphan.stdout) == (75, b"")


def test_the_first_closed_folder_above_a_path_is_named(tmp_path: Path) -> None:
    stranger = Identity("stranger", 54321, 54321, ())
    for name in ("open", "open/closed", "open/closed/open"):
        (tmp_path / name).mkdir(mode=0o755)
    outermost = next(folder for folder in reversed(tmp_path.parents) if not _others_may_enter(folder))
    with pytest.raises(ClusterError, match=f"may not enter {outermost}, "):
        stranger.require_reach(tmp_path / "open" / "closed" / "open" / "file")


def test_an_open_path_that_does_not_exist_yet_is_in_reach(open_folder: Path) -> None:
    Identity("stranger", 54321, 54321, ()).require_reach(open_folder / "not" / "yet" / "there")


def test_a_folder_closed_below_an_open_one_is_found(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    with pytest.raises(ClusterError, match="closed, which is above"):
        Identity("stranger", 54321, 54321, ()).require_reach(open_folder / "closed" / "pg")


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give a folder to somebody")
def test_root_does_not_take_an_ordinary_users_folder(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    os.chown(tmp_path / "pg", 54321, 54321)
    with pytest.raises(ClusterError, match="belongs to the user with id 54321"):
        OWN.require_owner(tmp_path / "pg")


def _others_may_enter(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)
