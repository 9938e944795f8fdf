from pathlib import Path

import pytest

from crouter.embedded import ClusterError, PostgresBinaries


def test_the_wheel_brings_version_18_and_the_programs_that_dump_and_ask(embedded: PostgresBinaries) -> None:
    assert embedded.major == 18
    assert embedded.version.startswith("18.")
    assert all(embedded.path(name).is_file() for name in ("postgres", "initdb", "psql", "pg_dump"))


def test_debians_version_is_read_without_its_package_suffix(debian_15: PostgresBinaries) -> None:
    assert debian_15.major == 15
    assert debian_15.version.removeprefix("15.").isdecimal()


def test_a_folder_without_the_programs_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="holds no program postgres"):
        PostgresBinaries.installed(tmp_path)


@pytest.mark.parametrize(
    ("answer", "version", "major"),
    [
        ("postgres (PostgreSQL) 17.2", "17.2", 17),
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "15.14", 15),
        ("postgres (PostgreSQL) 19beta1", "19beta1", 19),
    ],
)
def test_a_version_is_understood(tmp_path: Path, answer: str, version: str, major: int) -> None:
    _program(tmp_path / "postgres", f"echo '{answer}'")
    _program(tmp_path / "initdb", "")
    found = PostgresBinaries.installed(tmp_path)
    assert (found.version, found.major) == (version, major)


@pytest.mark.parametrize("script", ["echo 'something else 12'", "exit 3"])
def test_a_program_that_tells_no_version_is_refused(tmp_path: Path, script: str) -> None:
    _program(tmp_path / "postgres", script)
    _program(tmp_path / "initdb", "")
    with pytest.raises(ClusterError, match="gave no version"):
        PostgresBinaries.installed(tmp_path)


def test_a_program_of_another_kind_of_machine_is_refused(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_bytes(b"\x7fELF of another kind")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ClusterError, match="cannot be run on this machine"):
        PostgresBinaries.installed(tmp_path)


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
