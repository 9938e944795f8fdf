"""What was compiled is used while it is of these very sources, this interpreter and this compiler, and else nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crouter.runtime.compiled import use as using
from crouter.runtime.compiled.modules import MODULES, SHARED, compiler_version, file_of, source_of, sources_digest
from crouter.runtime.compiled.use import fitting, folder_for, is_forbidden, use_compiled
from tests.unit.runtime.compiled.libraries import linked, small

ROOT = Path(__file__).resolve().parents[4]


def plant(root: Path, name: str) -> Path:
    """A folder that has every file of a compilation; none of them can be loaded."""
    for module in (SHARED, *MODULES):
        file = root / name / file_of(module)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root / name


def test_another_compiler_makes_it_anew_and_without_one_the_newest_goes(tmp_path: Path) -> None:
    digest = sources_digest()
    old, new = plant(tmp_path, f"{digest}-2.4.1"), plant(tmp_path, f"{digest}-2.5.0")
    os.utime(old, (1, 1))
    assert folder_for(tmp_path, digest, "2.4.1") == old
    assert folder_for(tmp_path, digest, "3.0.0") == tmp_path / f"{digest}-3.0.0"
    assert folder_for(tmp_path, digest, None) == new
    assert folder_for(tmp_path, "0" * 32, None) is None


def test_all_of_it_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(using, "compiler_version", lambda: "2.4.1")
    folder = plant(tmp_path, f"{sources_digest()}-2.4.1")
    assert fitting(tmp_path) == folder
    (folder / file_of(MODULES[-1])).unlink()
    assert fitting(tmp_path) is None


def test_what_the_compiler_reads_counts_and_nothing_else(tmp_path: Path) -> None:
    library = small(tmp_path / "one")
    digest = sources_digest(library)
    assert sources_digest(small(tmp_path / "other")) == digest, "it is the same, wherever it lies"
    noticed = []
    for path in sorted(library.rglob("*.*")):
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        if sources_digest(library) != digest:
            noticed.append(path.relative_to(library).as_posix())
        path.write_bytes(before)
    assert noticed == [
        "crouter/contract/traffic.py",
        "crouter/runtime/compiled/mypy.ini",
        "crouter/runtime/credit/store.py",
        "crouter/runtime/usage.py",
    ]
    assert sources_digest(library) == digest
    (library / "crouter/runtime/usage.py").rename(library / "crouter/runtime/used.py")
    assert sources_digest(library) != digest


def test_another_interpreter_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sources_digest()
    monkeypatch.setattr(sys, "version", sys.version + " of another build")
    assert sources_digest() != before


@pytest.mark.parametrize(("environ", "forbidden"), [({}, False), ({"CROUTER_INTERPRETED": "1"}, True)])
def test_a_setting_forbids_it(environ: dict[str, str], forbidden: bool) -> None:
    assert is_forbidden(environ) is forbidden


PROGRAM = """\
import sys
from pathlib import Path
from crouter.runtime.compiled.use import use_compiled, is_compiled
{before}
print(use_compiled({{{environ}}}, Path(sys.argv[1])), is_compiled())
import crouter.runtime.proxy.usage as usage
print(usage.__file__.rpartition(".")[2])
"""


def told(library: Path, root: Path, before: str = "", environ: str = "") -> str:
    text = PROGRAM.format(before=before, environ=environ)
    done = subprocess.run(
        [sys.executable, "-c", text, str(root)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(library)}, cwd=library,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


SOURCES = "False False\npy\n"


def test_what_cannot_be_loaded_is_left_alone_and_the_sources_run(tmp_path: Path) -> None:
    root = tmp_path / "root"
    plant(root, f"{sources_digest()}-{compiler_version()}")
    assert told(ROOT, root) == SOURCES


needs_compilation = pytest.mark.skipif(
    fitting() is None, reason="NOTHING IS COMPILED of these sources (make compiled): its use is not tested"
)


@needs_compilation
def test_a_process_takes_all_of_it(tmp_path: Path) -> None:
    found = fitting()
    assert found is not None
    assert told(ROOT, found.parent) == "True True\nso\n"
    assert told(ROOT, found.parent, environ='"CROUTER_INTERPRETED": "1"') == SOURCES
    assert told(ROOT, found.parent, before="import crouter.runtime.proxy.headers") == SOURCES, "not half of each"


@needs_compilation
def test_a_process_with_a_changed_source_runs_the_sources(tmp_path: Path) -> None:
    found = fitting()
    assert found is not None
    linked(tmp_path / "crouter")
    assert told(tmp_path, found.parent) == "True True\nso\n"
    source = tmp_path / source_of(MODULES[0])
    text = source.read_text()
    source.unlink()
    source.write_text(f"{text}\n# changed\n")
    assert told(tmp_path, found.parent) == SOURCES


def test_modules_that_are_there_already_stay_what_they_are() -> None:
    # This process has imported some of them, in whichever form.
    __import__(MODULES[0])
    assert use_compiled({}) is False
