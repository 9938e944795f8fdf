"""The import contracts hold, and each of them can fail."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.conftest import Plant
from tests.architecture.rules.source import ROOT

# One violation for each contract of .importlinter: its id, where it is planted, what it imports.
VIOLATIONS = {
    "text": ("crouter/plan/planted.py", "crouter.generate"),
    "service": ("crouter/runtime/planted.py", "crouter.simulator"),
    "contract": ("crouter/contract/planted.py", "crouter.runtime"),
    "policy": ("crouter/policy/planted.py", "crouter.contract"),
    "generator": ("crouter/generate/planted.py", "psycopg"),
    "runtime": ("crouter/runtime/planted.py", "yaml"),
    "proxy": ("crouter/runtime/proxy/planted.py", "asyncio"),
    "generated": ("crouter/cli/planted.py", "generated"),
    "declarations": ("generated/service/planted.py", "crouter.policy"),
    "http": ("crouter/runtime/planted.py", "aiohttp"),
    "upstream": ("crouter/runtime/planted.py", "httptools"),
}


def lint_imports(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on the packages in `folder`, whatever is installed."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def contracts() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter", encoding="utf-8")
    return config


def test_every_import_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("contract", sorted(VIOLATIONS))
def test_a_planted_import_breaks_the_contract(contract: str, plant: Plant) -> None:
    path, imported = VIOLATIONS[contract]
    folder = plant(path, f'"""Planted."""\n\nimport {imported}')
    result = lint_imports(folder, "--contract", contract)
    planted = path.removesuffix(".py").replace("/", ".")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
    assert planted in result.stdout


def test_an_import_through_another_module_breaks_the_contract_too(plant: Plant) -> None:
    folder = plant("crouter/runtime/detour.py", '"""Planted."""\n\nimport socket')
    planted = folder / "crouter" / "runtime" / "proxy" / "planted.py"
    planted.write_text('"""Planted."""\n\nimport crouter.runtime.detour\n', encoding="utf-8")
    result = lint_imports(folder, "--contract", "proxy")
    assert "BROKEN" in result.stdout
    assert "crouter.runtime.detour" in result.stdout


def test_every_contract_has_a_planted_violation() -> None:
    prefix = "importlinter:contract:"
    named = {section.removeprefix(prefix) for section in contracts() if prefix in section}
    assert named == set(VIOLATIONS)


def test_no_import_is_excused() -> None:
    config = contracts()
    excused = [name for name in config.sections() if config.has_option(name, "ignore_imports")]
    assert excused == []
