"""A compilation is there as a whole or not at all, once for each content of the sources, and says why there is none.

The compiler is a stand-in; what the real one makes is used by tests/behaviour/test_compiled.py.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crouter.runtime.compiled import build as building
from crouter.runtime.compiled.build import CannotCompileError, Compilation, CompilationError, build
from crouter.runtime.compiled.driver import faulty_constants
from crouter.runtime.compiled.modules import MODULES, file_of
from crouter.runtime.compiled.use import fitting
from tests.unit.runtime.compiled.libraries import linked

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of compilations, and a compiler that takes no time."""
    monkeypatch.setattr(building, "_DRIVER", "tests.unit.runtime.compiled.planted_driver")
    monkeypatch.setattr(building, "_require_tools", lambda: None)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "compiled"


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_it_is_made_once_and_found_from_then_on(root: Path) -> None:
    assert fitting(root) is None
    made = build(root)
    assert made == Compilation(root / made.folder.name, is_new=True)
    assert fitting(root) == made.folder
    assert folders(root) == [made.folder.name]
    assert build(root) == Compilation(made.folder, is_new=False)


def test_who_compiles_at_the_same_time_waits_and_finds_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUTER_PLANTED", "slow")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: build(root), range(4)))
    assert sorted(one.is_new for one in made) == [False, False, False, True]
    assert len({one.folder for one in made}) == 1


def test_without_locks_the_first_one_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(descriptor: int, operation: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("fcntl.flock", refused)
    monkeypatch.setenv("CROUTER_PLANTED", "slow")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: build(root), range(3)))
    assert {one.folder for one in made} == {fitting(root)}
    assert len(folders(root)) == 1
    # From one process, whichever it was.
    assert len({path.read_text() for path in made[0].folder.rglob("*.so")}) == 1


def test_what_lost_a_file_is_made_anew(root: Path) -> None:
    folder = build(root).folder
    (folder / file_of(MODULES[5])).unlink()
    assert fitting(root) is None
    assert build(root) == Compilation(folder, is_new=True)
    assert fitting(root) == folder


def test_half_a_compilation_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUTER_PLANTED", "part")
    with pytest.raises(CompilationError, match="not written all"):
        build(root)
    assert folders(root) == []


def test_a_failure_ends_with_the_last_lines_and_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROUTER_PLANTED", "fail")
    with pytest.raises(CompilationError) as failure:
        build(root)
    lines = str(failure.value).splitlines()
    assert lines[-1] == "crouter/runtime/usage.py:7: error: planted"
    assert len(lines) == 20
    assert folders(root) == []


def test_sources_that_change_meanwhile_are_not_taken_for_what_was_compiled(tmp_path: Path) -> None:
    linked(tmp_path / "crouter")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    text = (
        "from pathlib import Path; from crouter.runtime.compiled import build\n"
        "build._DRIVER, build._require_tools = 'tests.unit.runtime.compiled.planted_driver', lambda: None\n"
        "try: build.build(Path('root'))\n"
        "except build.CompilationError as error: print(error)"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "CROUTER_PLANTED": "touch"}
    told = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert told.stdout == "the sources were changed meanwhile; compile them again\n", told.stderr
    assert folders(tmp_path / "root") == []


def test_only_the_two_newest_are_kept_and_what_is_being_made(root: Path) -> None:
    root.mkdir()
    for age, name in enumerate(("newest", "newer", "old", "oldest"), start=1):
        (root / name).mkdir()
        os.utime(root / name, (1_000_000 - age, 1_000_000 - age))
    (root / "making-now").mkdir()
    (root / "making-long-ago").mkdir()
    os.utime(root / "making-long-ago", (0, 0))
    made = build(root).folder
    assert folders(root) == sorted([made.name, "making-now", "newest"])
    os.utime(made, (0, 0))
    build(root)
    (root / "another").mkdir()
    building._remove_old(root)
    assert folders(root) == sorted([made.name, "another", "making-now"]), "using it keeps it"


def test_a_folder_that_cannot_be_written_is_a_sentence(root: Path) -> None:
    root.write_text("a file")
    with pytest.raises(CannotCompileError, match="cannot be written"):
        build(root)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [("compiler", "no C compiler"), ("mypyc", "mypyc is not installed"), ("headers", "headers of Python")],
)
def test_what_is_missing_is_a_sentence(
    what: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -m64" if what == "compiler" else sys.executable)
    monkeypatch.setattr(building, "find_spec", lambda name: None if what == "mypyc" and name == "mypyc" else name)
    monkeypatch.setattr(building, "compiler_version", lambda: "2")
    monkeypatch.setattr(
        "sysconfig.get_path", lambda name: "nowhere" if what == "headers" else str(_with_headers(tmp_path))
    )
    with pytest.raises(CannotCompileError, match=sentence):
        build(tmp_path / "compiled")
    assert not (tmp_path / "compiled").exists()


def _with_headers(folder: Path) -> Path:
    (folder / "Python.h").touch()
    return folder


def test_a_constant_that_compiled_code_would_not_find_is_told(tmp_path: Path) -> None:
    # As mypyc 2.4 writes for `PAUSES: Final = (0.1, 0.2)`.
    (tmp_path / "one.c").write_text(
        "    if (likely(cpy_r_r9.f0 != -113.0 && PyErr_Occurred())) goto CPyL7;\n"
        '    PyErr_SetString(PyExc_NameError, "value for final name \\"PAUSES\\" was not set");\n'
    )
    (tmp_path / "two.c").write_text(
        "    if (likely(cpy_r_r9 != -113.0)) goto CPyL7;\n"
        '    PyErr_SetString(PyExc_NameError, "value for final name \\"PAUSE\\" was not set");\n'
    )
    assert faulty_constants(tmp_path) == ["PAUSES"]
