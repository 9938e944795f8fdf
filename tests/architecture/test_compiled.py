"""Modules that are compiled hold nothing that would stay interpreted, and the compiler reads what they use."""

import configparser
from collections.abc import Iterator

import pytest

from crouter.runtime.compiled.modules import COMPILER_SETTINGS, MODULES, source_of
from tests.architecture.rules.native import interpreted_bases, unread_libraries
from tests.architecture.rules.source import ROOT, Module


def compiled_modules() -> Iterator[Module]:
    for name in MODULES:
        path = source_of(name)
        yield Module(name, path.as_posix(), (ROOT / path).read_text(encoding="utf-8"))


def libraries_read() -> set[str]:
    """Those that are named in the compiler's settings."""
    settings = configparser.ConfigParser()
    settings.read(COMPILER_SETTINGS, encoding="utf-8")
    assert settings["mypy"]["follow_imports"] == "skip"
    named = [section for section in settings.sections() if settings[section].get("follow_imports") == "normal"]
    return {pattern.strip().removesuffix(".*") for section in named for pattern in section[len("mypy-") :].split(",")}


def test_the_modules_are_listed_once_and_in_order() -> None:
    assert list(MODULES) == sorted(set(MODULES))


def test_no_compiled_class_has_an_interpreted_base() -> None:
    assert not [str(finding) for finding in interpreted_bases(compiled_modules())]


def test_the_compiler_reads_every_library_that_a_compiled_module_uses() -> None:
    assert not [str(finding) for finding in unread_libraries(compiled_modules(), libraries_read())]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("import msgspec\nclass Body(msgspec.Struct): ...", "msgspec.Struct"),
        ("from msgspec import Struct as S\nclass Body(S, frozen=True): ...", "msgspec.Struct"),
        ("import asyncio\nclass Connection(asyncio.Protocol): ...", "asyncio.Protocol"),
        ("from crouter.runtime.serve import Service\nclass Mine(Service): ...", "crouter.runtime.serve.Service"),
        ("def f():\n    class Inner(dict[str, int]): ...", "dict"),
    ],
)
def test_an_interpreted_base_is_found(text: str, base: str) -> None:
    (finding,) = interpreted_bases([Module("planted", "planted.py", text)])
    assert f"is a {base}, " in finding.sentence


@pytest.mark.parametrize(
    "text",
    [
        "class Plain: ...",
        "class OwnError(ValueError): ...",
        "import enum\nclass State(enum.Enum): ...",
        "from typing import Protocol\nclass Holder(Protocol): ...",
        "class A: ...\nclass B(A): ...",
    ],
)
def test_what_becomes_native_is_no_finding(text: str) -> None:
    assert not list(interpreted_bases([Module("planted", "planted.py", text)]))


def test_a_base_in_another_compiled_module_is_no_finding() -> None:
    one = Module("crouter.one", "one.py", "class A: ...")
    other = Module("crouter.other", "other.py", "from crouter.one import A\nclass B(A): ...")
    assert not list(interpreted_bases([one, other]))
    assert list(interpreted_bases([other]))


def test_a_library_that_the_compiler_passes_over_is_found() -> None:
    planted = Module("planted", "planted.py", "import json\nimport msgspec.json\nfrom aiohttp import web")
    (finding,) = unread_libraries([planted], libraries_read())
    assert finding.sentence.startswith("aiohttp ")
