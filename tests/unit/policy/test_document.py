"""What of YAML is read, where things stand, and that hostile text is refused in bounded time."""

import time
from datetime import date

import pytest

from crouter.policy.document import DEPTH_MAX, NODES_MAX, Document, read
from crouter.policy.problems import as_text

KIB_256 = 256 * 1024


def codes(document: Document) -> list[str]:
    return [problem.code for problem in document.problems]


def test_plain_values_have_their_types_and_quoted_ones_are_text() -> None:
    document = read('a: [1, -2, 0, true, false, 2025-01-31, text, "1", \'true\', "2025-01-31", "no"]\nb: |\n  x\n', "p")
    assert codes(document) == []
    assert document.tree == {
        "a": (1, -2, 0, True, False, date(2025, 1, 31), "text", "1", "true", "2025-01-31", "no"),
        "b": "x\n",
    }


def test_every_key_and_value_has_its_place() -> None:
    document = read("a:\n  b: [x, {c: y}]\n'd e': z\n", "p.yaml")
    positions = document.positions
    assert str(positions.of_key(("a",))) == "p.yaml:1:1"
    assert str(positions.of_value(("a",))) == "p.yaml:2:3"
    assert str(positions.of_key(("a", "b"))) == "p.yaml:2:3"
    assert str(positions.of_value(("a", "b"))) == "p.yaml:2:6"
    assert str(positions.of_value(("a", "b", 0))) == "p.yaml:2:7"
    assert str(positions.of_key(("a", "b", 1, "c"))) == "p.yaml:2:11"
    assert str(positions.of_value(("a", "b", 1, "c"))) == "p.yaml:2:14"
    assert str(positions.of_value(("d e",))) == "p.yaml:3:8"


def test_what_is_missing_stands_where_its_parent_is_named() -> None:
    place = read("x: 1\na:\n  b: 1\n", "p").positions.of_value(("a", "c", "d"))
    assert (place.line, place.column, place.policy_path) == (2, 1, "a.c.d")


def test_the_first_of_two_equal_keys_is_kept_and_the_second_still_looked_at() -> None:
    document = read("a: 1\na: &x {b: no}\n", "p")
    assert document.tree == {"a": 1}
    assert codes(document) == ["PY-15", "PY-11", "PY-18"]
    assert document.refused == frozenset()


def test_an_escaped_key_is_the_same_key() -> None:
    assert codes(read('abc: 1\n"\\x61bc": 2\n', "p")) == ["PY-15"]


def test_aliases_are_never_followed() -> None:
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 15))
    document = read(f"l0: &l0 [x]\n{layers}\n", "p")
    assert document.tree is not None
    assert set(codes(document)) == {"PY-11", "PY-12"}


@pytest.mark.parametrize("text", ["? [a]\n: 1", "? {a: 1}\n: 1", "1: x", "true: x", "2025-01-01: x", "no: x", "~: x"])
def test_a_key_is_text(text: str) -> None:
    document = read(text, "p")
    assert codes(document) == ["PY-16"]
    assert document.tree == {}


@pytest.mark.parametrize("key", ['"1"', '"no"', "'true'", '"<<"'])
def test_any_quoted_key_is_text(key: str) -> None:
    assert codes(read(f"{key}: x", "p")) == []


@pytest.mark.parametrize("tag", ["!", "!x", "!!str", "!!python/name:os.system", "!<tag:x>"])
def test_any_tag_is_refused(tag: str) -> None:
    assert codes(read(f"a: {tag} b", "p")) == ["PY-14"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "PY-08"),
        ("# only a comment\n", "PY-08"),
        ("\ta: 1", "PY-06"),
        ("a:\n\t- b", "PY-06"),
        ("a: @b", "PY-07"),
        ("a: `b", "PY-07"),
        ('a: "\\q"', "PY-07"),
        ('a: "\\x4"', "PY-07"),
        ('a: "\\U00110000"', "PY-07"),
        ("%YAML 9999999999999999999999\n---\na: 1", "PY-07"),
        (f"%YAML {'9' * 5000}.1\n---\na: 1", "PY-07"),
        ("a: !<x", "PY-07"),
        ("a: !u!x y", "PY-07"),
        ("a: b\n...\nc: d", "PY-07"),
        ("{a: b}}", "PY-07"),
        ("a: *", "PY-07"),
        ("a: 'b", "PY-07"),
        ("a: 'b\n---\nc'", "PY-07"),
        ("a: b\n c: d", "PY-07"),
        ("a: {b", "PY-07"),
        ("- a\n b", ""),
        ("a: - b", "PY-07"),
        ("a\nb", ""),
    ],
)
def test_broken_yaml_is_a_problem_in_our_words(text: str, code: str) -> None:
    document = read(text, "p")
    assert codes(document)[-1:] == ([code] if code else [])
    assert "<" not in as_text(document.problems).replace("`<", "")


def test_depth_is_bounded() -> None:
    deepest = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    assert codes(read(deepest, "p")) == []
    assert codes(read(f"[{deepest}]", "p")) == ["PY-21"]


def test_the_number_of_values_is_bounded() -> None:
    assert codes(read("- a\n" * (NODES_MAX - 1), "p")) == []
    assert codes(read("- a\n" * NODES_MAX, "p")) == ["PY-22"]


def test_an_invisible_character_is_named_by_its_number_and_place() -> None:
    problems = read('a: b\nc: "x\u202ey"\n', "p").problems
    assert [str(p.place) for p in problems] == ["p:2:6"]
    assert "U+202E" in problems[0].sentence
    assert "\u202e" not in as_text(problems)


@pytest.mark.parametrize(
    "escape", ["\\0", "\\e", "\\N", "\\L", "\\u200b", "\\u2066", "\\ufeff", "\\ud800", "\\U000e0041"]
)
def test_an_escape_cannot_bring_in_what_may_not_be_typed(escape: str) -> None:
    document = read(f'a: "x{escape}y"\n"k{escape}": b', "p")
    assert codes(document) == ["PY-05", "PY-05"]
    assert ("a",) in document.refused


HOSTILE = {
    "lists": "[" * KIB_256,
    "mappings": "{" * KIB_256,
    "mapping in mapping": "{a: " * (KIB_256 // 4),
    "block lists": "- " * (KIB_256 // 2),
    "complex keys": "? " * (KIB_256 // 2),
    "brackets closed too often": "]" * KIB_256,
    "commas": "[" + "," * (KIB_256 - 2),
    "many entries": "[" + "a," * (KIB_256 // 2 - 1),
    "many keys": "".join(f"k{n}: v\n" for n in range(KIB_256 // 12)),
    "equal keys": "a: b\n" * (KIB_256 // 5),
    "one long word": "x" * KIB_256,
    "one long number": "9" * KIB_256,
    "a hundred digits": "a: " + "9" * 100,
    "a long number with colons": "1:" * (KIB_256 // 2),
    "a long key": "k" * (KIB_256 - 3) + ": v",
    "quotes": '"' * KIB_256,
    "escapes": 'a: "' + "\\x41" * (KIB_256 // 4 - 2) + '"',
    "line breaks": "a: '" + "\n" * (KIB_256 - 5) + "'",
    "spaces": "a:" + " " * (KIB_256 - 2),
    "comments": "#\n" * (KIB_256 // 2),
    "anchors": "&a " * (KIB_256 // 3),
    "aliases": "[" + "*a," * (KIB_256 // 3 - 1),
    "tags": "!a " * (KIB_256 // 3),
    "directives": "%TAG ! !\n" * (KIB_256 // 9),
    "documents": "---\n" * (KIB_256 // 4),
    "text block": "a: |\n" + " x\n" * (KIB_256 // 3 - 2),
    "zero bytes": "\0" * KIB_256,
    "zero bytes on lines": "\0\n" * (KIB_256 // 2),
    "invisible lines": "\u2028\n" * (KIB_256 // 4),
    "surrogates": "\ud800" * (KIB_256 // 3),
    "tabs": "\t" * KIB_256,
    "unclosed flow with keys": "{" + '"a":' * (KIB_256 // 4 - 1),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_in_bounded_time(text: str) -> None:
    started = time.process_time()
    document = read(text, "p")
    spent = time.process_time() - started
    assert document.problems or document.tree is not None
    # Usually a tenth of this; what is looked for is seconds and minutes.
    assert spent < 2
    assert max((len(p.sentence) + len(p.hint) for p in document.problems), default=0) < 300
