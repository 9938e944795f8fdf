import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crouter.generate.tree import Disk, TreeError, held, read_tree, recover, replace_tree, was_interrupted

OLD = {"a.txt": "old a\n", "in/b.txt": "old b\n", "in/gone.txt": "old\n"}
NEW = {"a.txt": "new a\n", "in/b.txt": "new b\n", "in/deeper/c.txt": "new c\n"}


class Killed(BaseException):
    """The process is gone: nothing runs any more, no clean-up either."""


class FailingDisk(Disk):
    """Lets the N-th operation fail, counted from 1, and in some ways every one after it too."""

    def __init__(self, number: int, way: str) -> None:
        self.number, self.way, self.count = number, way, 0

    def _step(self, operation: Callable[[], None], path: Path, *, makes: bool) -> None:
        self.count += 1
        if self.count < self.number:
            operation()
        elif self.way == "killed":
            if self.count == self.number and makes and path.suffix:
                path.write_bytes(b"ne")  # half of a file
            raise Killed
        elif self.count == self.number or self.way == "broken" or (self.way == "full" and makes):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        else:
            operation()

    def make_folder(self, path: Path) -> None:
        self._step(lambda: super(FailingDisk, self).make_folder(path), path, makes=True)

    def write(self, path: Path, content: bytes) -> None:
        self._step(lambda: super(FailingDisk, self).write(path, content), path, makes=True)

    def sync_folder(self, path: Path) -> None:
        self._step(lambda: super(FailingDisk, self).sync_folder(path), path, makes=False)

    def rename(self, old: Path, new: Path) -> None:
        self._step(lambda: super(FailingDisk, self).rename(old, new), new, makes=False)

    def remove(self, path: Path) -> None:
        self._step(lambda: super(FailingDisk, self).remove(path), path, makes=False)


def texts(folder: Path) -> dict[str, str]:
    return {path: (content or b"").decode() for path, content in read_tree(folder).items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    replace_tree(tmp_path / "tree", OLD, Disk())
    return tmp_path / "tree"


def operations(folder: Path) -> int:
    disk = FailingDisk(1 << 30, "once")
    replace_tree(folder, NEW, disk)
    replace_tree(folder, OLD, Disk())
    return disk.count


def test_a_tree_is_replaced_as_a_whole(folder: Path) -> None:
    replace_tree(folder, NEW, Disk())
    assert texts(folder) == NEW
    assert [path.name for path in folder.parent.iterdir()] == ["tree"]


def test_a_disk_that_breaks_for_good_has_one_tree_whole_when_it_is_back(folder: Path) -> None:
    for number in range(1, operations(folder) + 1):
        with pytest.raises(TreeError):
            replace_tree(folder, NEW, FailingDisk(number, "broken"))
        recover(folder, Disk())
        assert texts(folder) in (OLD, NEW), f"operation {number}"
        assert [path.name for path in folder.parent.iterdir()] == ["tree"], f"operation {number}"
        replace_tree(folder, OLD, Disk())


@pytest.mark.parametrize("way", ["once", "full"])
def test_whichever_operation_fails_one_tree_is_whole(folder: Path, way: str) -> None:
    total = operations(folder)
    assert total > 10
    for number in range(1, total + 1):
        with pytest.raises(TreeError) as caught:
            replace_tree(folder, NEW, FailingDisk(number, way))
        is_new = "is new and whole" in str(caught.value)
        assert texts(folder) == (NEW if is_new else OLD), f"operation {number}"
        recover(folder, Disk())
        assert [path.name for path in folder.parent.iterdir()] == ["tree"], f"operation {number}"
        replace_tree(folder, OLD, Disk())


def test_whenever_the_process_is_killed_one_tree_is_whole_after_recovery(folder: Path) -> None:
    for number in range(1, operations(folder) + 1):
        with pytest.raises(Killed):
            replace_tree(folder, NEW, FailingDisk(number, "killed"))
        assert was_interrupted(folder) or texts(folder) in (OLD, NEW), f"operation {number}"
        recover(folder, Disk())
        assert texts(folder) in (OLD, NEW), f"operation {number}"
        assert [path.name for path in folder.parent.iterdir()] == ["tree"], f"operation {number}"
        replace_tree(folder, OLD, Disk())


def test_a_first_tree_that_fails_leaves_nothing(tmp_path: Path) -> None:
    for number in range(1, 8):
        with pytest.raises(TreeError):
            replace_tree(tmp_path / "tree", NEW, FailingDisk(number, "once"))
        assert list(tmp_path.iterdir()) == []


def test_links_are_neither_followed_nor_written_through(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    (folder / "link").symlink_to(outside)
    assert read_tree(folder)["link"] is None
    assert "link/mine.txt" not in read_tree(folder)
    replace_tree(folder, NEW, Disk())
    assert (outside / "mine.txt").read_text() == "mine"
    (tmp_path / "linked").symlink_to(folder)
    with pytest.raises(TreeError, match="is a link"), held(tmp_path / "linked"):
        pass


def test_a_link_left_beside_the_tree_is_removed_and_not_its_target(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / ".tree.new").symlink_to(tmp_path / "mine")
    replace_tree(folder, NEW, Disk())
    assert texts(folder) == NEW
    assert (tmp_path / "mine").is_dir()


def test_two_writers_do_not_meet(folder: Path) -> None:
    with held(folder), pytest.raises(TreeError, match="another run"), held(folder):
        pass
    with held(folder):
        pass


def test_a_folder_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="cannot be opened"), held(tmp_path / "no" / "tree"):
        pass
