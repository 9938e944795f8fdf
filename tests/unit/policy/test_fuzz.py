"""Whatever text is loaded, problems come out: never an exception, never an endless wait.

Hypothesis prints the failing text and how to repeat it.
"""

import time
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crouter.policy import characters
from crouter.policy.document import Reader, read_quickly
from crouter.policy.load import load
from crouter.policy.problems import as_text
from tests.unit.policy import cases
from tests.unit.policy.test_load import POLICY

GOOD = cases.MINIMAL.read_bytes()
LINES = GOOD.splitlines(keepends=True)
TREE = yaml.safe_load(POLICY.read_bytes())
SECONDS_MAX = 5
COMPARED_CHARS_MAX = 20_000

few = settings(max_examples=80, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


def loads_in_time(text: str) -> None:
    started = time.process_time()
    # PyYAML's own parser takes a tenth of a second for a whole policy.
    if len(text) < COMPARED_CHARS_MAX:
        agree(text)
    loaded = load(text)
    assert time.process_time() - started < SECONDS_MAX
    assert (loaded.policy is None) == bool(loaded.problems)
    printed = as_text(loaded.problems)
    assert all(character.isprintable() or character == "\n" for character in printed)
    for problem in loaded.problems:
        assert problem.as_json()["line"] == problem.place.line
        assert problem.place.line >= 0


def agree(text: str) -> None:
    """What both parsers of YAML can read, they read alike."""
    text, problems = characters.checked(text, "p.yaml")
    quick, slow = Reader(text, "p.yaml", list(problems)), Reader(text, "p.yaml", list(problems))
    if read_quickly(quick):
        slow.read()
        if not {"PY-06", "PY-07"} & {problem.code for problem in slow.problems}:
            assert (quick.tree, quick.problems, quick.refused) == (slow.tree, slow.problems, slow.refused)
            assert quick.positions == slow.positions


@few
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    loads_in_time(data.decode("utf-8", "replace"))
    loads_in_time(data.decode("latin-1"))


@few
@given(st.text(st.characters(), max_size=300))
def test_any_text(text: str) -> None:
    loads_in_time(text)


MARKS = "[]{}:,-?&*!|>'\"%@`#~=<.0123 \n\t\\"
WORDS = ("0x", "1e3", "no", "null", "<<", "language", "data", "retention", "&a ", "*a", "!!str ", '"\\x', '"\\U')
LAYOUT = ("- ", ": ", "? ", "\n  ", "\n    ", "---\n", "...\n", "%YAML 1.1\n", "%TAG ! x\n", "|2-\n", "\r", "\ufeff")
YAML_BITS = st.sampled_from([*MARKS, *WORDS, *LAYOUT])


@few
@given(st.lists(YAML_BITS, max_size=60).map("".join))
def test_yaml_like_text(text: str) -> None:
    loads_in_time(text)


@few
@given(st.data())
def test_a_good_policy_with_bytes_changed(data: st.DataObject) -> None:
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(changed) - 1))
        changed[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    loads_in_time(changed.decode("utf-8", "replace"))


@few
@given(st.data())
def test_a_good_policy_with_lines_moved(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 5))):
        taken = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        if data.draw(st.booleans()):
            lines.insert(data.draw(st.integers(0, len(lines))), taken)
    loads_in_time(b"".join(lines).decode())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, item in items for inner in _paths(item, (*path, key)))]


PATHS = [path for path in _paths(TREE) if path]
NAMES = sorted({str(step) for path in PATHS for step in path} | {"content", "analytics", "none", "account.email"})
VALUES = st.recursive(
    st.sampled_from([*NAMES, "", "P0D", "P1D", "P99Y", "*.com", "{x}"])
    | st.integers(-9, 10**9)
    | st.booleans()
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


def _with(tree: Any, path: tuple[Any, ...], change: Any) -> Any:
    """The tree with the value at `path` put through `change`; paths that lead nowhere change nothing."""
    if not path:
        return change(tree)
    step, *rest = path
    if isinstance(tree, dict) and step in tree:
        return {key: _with(item, tuple(rest), change) if key == step else item for key, item in tree.items()}
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return [_with(item, tuple(rest), change) if n == step else item for n, item in enumerate(tree)]
    return tree


@few
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_the_first_policy_with_values_replaced(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    tree = TREE
    for path, value in changes:
        tree = _with(tree, path, lambda _, value=value: value)
    loads_in_time(yaml.safe_dump(tree, sort_keys=False))


@few
@given(st.sampled_from(PATHS), st.sampled_from(NAMES))
def test_the_first_policy_with_a_key_added_or_removed(path: tuple[Any, ...], name: str) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, dict) and name in value:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: {}} if isinstance(value, dict) else [*value, name] if isinstance(value, list) else name

    loads_in_time(yaml.safe_dump(_with(TREE, path, without), sort_keys=False))


def test_a_file_of_thousands_of_mistakes_is_answered_in_time() -> None:
    wrong = "".join(f"  a{n}: {{lable: x, typ: y}}\n" for n in range(2500))
    loads_in_time(GOOD.decode().replace("purposes:\n", f"purposes:\n{wrong}", 1))
    unknown = "".join(f"surprise_{n}: 1\n" for n in range(8000))
    loads_in_time(GOOD.decode() + unknown)
    claims = "".join(f"      claim-{n}: {{says: uses, about: data.nothing.x{n}}}\n" for n in range(2500))
    loads_in_time(GOOD.decode() + claims)
