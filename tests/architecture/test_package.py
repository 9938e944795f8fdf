"""What an operator installs: the built wheel carries everything that `crouter` needs, and no more."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.rules.source import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", folder], cwd=ROOT, capture_output=True, check=True)
    (built,) = Path(folder).glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = (p for p in (ROOT / "crouter").rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    packed = {name for name in wheel.namelist() if name.startswith("crouter/")}
    assert packed == expected


def test_the_wheel_holds_the_licence_and_the_command(wheel: zipfile.ZipFile) -> None:
    (licence,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    (commands,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert b"crouter = crouter.cli.main:run" in wheel.read(commands)


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"crouter"}
