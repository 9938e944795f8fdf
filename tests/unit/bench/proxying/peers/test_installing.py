"""Other gateways are installed from locks that pin everything, and nothing else counts as installed."""

import json
from pathlib import Path

import pytest

from bench.proxying.peers import installing
from tests.architecture.rules import locks

MINIMUM_SAFE = Path(__file__).resolve().parents[5] / "requirements" / "minimum-safe.txt"


@pytest.mark.parametrize("gateway", installing.PYTHON_GATEWAYS)
def test_a_lock_pins_everything_by_digest_and_names_no_address(gateway: str) -> None:
    lock = installing.LOCKS / f"{gateway}.txt"
    assert not list(locks.unpinned(lock))
    assert not list(locks.unsafe_pins(MINIMUM_SAFE, lock))


@pytest.mark.parametrize("gateway", installing.NODE_GATEWAYS)
def test_a_node_lock_pins_everything_by_digest_and_names_no_address(gateway: str) -> None:
    assert not list(locks.loose_packages(installing.LOCKS / gateway / "package-lock.json"))


@pytest.mark.parametrize("gateway", installing.GATEWAYS)
def test_the_version_that_is_told_is_the_one_that_is_locked(gateway: str) -> None:
    version = installing.locked_version(gateway)
    if gateway in installing.NODE_GATEWAYS:
        wanted = json.loads((installing.LOCKS / gateway / "package.json").read_text(encoding="utf-8"))
        assert list(wanted["dependencies"].values()) == [version]
    else:
        assert f"{gateway}=={version} " in (installing.LOCKS / f"{gateway}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("gateway", installing.GATEWAYS)
def test_what_was_installed_from_another_lock_is_not_installed(
    gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "CACHE", tmp_path)
    assert installing.installed(gateway) is None
    (tmp_path / gateway).mkdir()
    (tmp_path / gateway / "installed").write_text("0" * 64, encoding="ascii")
    assert installing.installed(gateway) is None


def test_what_cannot_be_installed_is_told_and_not_taken_for_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "CACHE", tmp_path / ".crouter" / "bench")
    monkeypatch.setattr(installing, "GATEWAYS", ("portkey",))
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []
    installing.install_gateways(told.append)
    assert "COULD NOT BE INSTALLED" in told[-1]
    assert installing.installed("portkey") is None
