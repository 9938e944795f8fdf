import ast
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.contract.data import Field, Record
from crouter.generate.python import LINE_WIDTH, assignment, from_import, python_source

ROOT = Path(__file__).parents[3]
RUFF = Path(sys.executable).with_name("ruff")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda items: st.lists(items, max_size=6).map(tuple),
    max_leaves=30,
)


@given(VALUES)
def test_a_value_reads_back_as_itself(value: object) -> None:
    assert ast.literal_eval(python_source(value)) == value


@given(st.text(max_size=400))
def test_no_text_becomes_anything_but_one_constant(text: str) -> None:
    source = assignment("NAME", text)
    (statement,) = ast.parse(source).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Constant)
    assert statement.value.value == text
    assert all(len(line) <= LINE_WIDTH for line in source.split("\n"))


def test_defaults_are_not_written() -> None:
    field = Field(name="model", kind="text", label="model", policy_path="data.usage.model")
    assert python_source(field) == 'Field(name="model", kind="text", label="model", policy_path="data.usage.model")'


def test_what_does_not_fit_on_a_line_has_one_item_for_each_line() -> None:
    assert python_source(("a" * 60, "b" * 60)) == f'(\n    "{"a" * 60}",\n    "{"b" * 60}",\n)'


@pytest.mark.parametrize("value", [1.5, [], {}, object()])
def test_what_nobody_declares_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        python_source(value)


def test_imports_are_sorted_as_the_linter_wants() -> None:
    assert from_import("m", ("Record", "CONTRACT", "field", "Field")) == "from m import CONTRACT, Field, Record, field"


def test_the_formatter_leaves_every_layout_as_it_is(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)  # noqa: S311 - test data
    declared = tuple(assignment(f"VALUE_{number}", _record(dice)) for number in range(60))
    module = "\n\n".join(('"""Values."""', from_import("crouter.contract.data", ("Field", "Record")), *declared)) + "\n"
    (tmp_path / "values.py").write_text(module, encoding="utf-8")
    for command in (("format", "--diff"), ("check",)):
        done = subprocess.run(
            [RUFF, *command, "--config", ROOT / "pyproject.toml", "--no-cache", tmp_path],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"seed {seed}\n{done.stdout}\n{done.stderr}"


def _record(dice: random.Random) -> Record:
    return Record(
        name=_text(dice),
        label=_text(dice),
        policy_path="data.x",
        key="id",
        owner=dice.choice([None, "account"]),
        fields=tuple(
            Field(
                name=_text(dice),
                kind="text",
                label=_text(dice),
                policy_path="data.x",
                personal=dice.random() < 0.5,
                purposes=tuple(_text(dice) for _ in range(dice.randrange(4))),
            )
            for _ in range(dice.randrange(4))
        ),
    )


def _text(dice: random.Random) -> str:
    alphabet = dice.choice(
        ["abc de", "a\"'\\ ", "äöß€文字🙂e\u0301 x", "{}%$#/*<>&;\t\n", "\x00\x7f\u200b\u202e\xad a"]
    )
    return "".join(dice.choices(alphabet, k=dice.choice([1, 10, 40, 100, 118, 130, 390])))
