"""policy.yaml, edited as a maintainer would: in its text."""

from pathlib import Path

from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.policy.load import Loaded, load
from crouter.policy.model import Policy

POLICY = Path(__file__).parents[3] / "policy.yaml"
TEXT = POLICY.read_text(encoding="utf-8")

Change = tuple[str, str]
"""Words that stand in the file exactly once, and what stands there instead."""


def edited(*changes: Change, text: str = TEXT) -> str:
    """The text with the changes made, one after the other."""
    for old, new in changes:
        assert text.count(old) == 1, f"an edit has to fit exactly one place: {old}"
        text = text.replace(old, new)
    return text


def changes_of(edit: str) -> tuple[Change, ...]:
    """The changes of an edit of tests/cases/edits: blocks of `-` lines and the `+` lines that replace them."""
    found: list[Change] = []
    for block in edit.strip("\n").split("\n\n"):
        lines = block.splitlines()
        assert all(line[:1] in ("-", "+") for line in lines), block
        old, new = ("\n".join(line[1:] for line in lines if line.startswith(mark)) for mark in "-+")
        found.append((old, new))
    return tuple(found)


def lines_out(*beginnings: str, text: str = TEXT) -> str:
    """The text without the lines that begin so, each with the deeper lines below it."""
    for beginning in beginnings:
        kept: list[str] = []
        depth = -1
        found = 0
        for line in text.splitlines(keepends=True):
            indent = len(line) - len(line.lstrip())
            if depth >= 0 and line.strip() and indent <= depth:
                depth = -1
            if line.startswith(beginning):
                depth, found = indent, found + 1
            if depth < 0:
                kept.append(line)
        assert found == 1, f"an edit has to fit exactly one place: {beginning}"
        text = "".join(kept)
    return text


def policy_of(text: str) -> Policy:
    """The policy, which has no problem."""
    loaded = load(text)
    assert loaded.policy is not None, [str(problem) for problem in loaded.problems]
    return loaded.policy


def said(loaded: Loaded) -> list[str]:
    """Code and place of each problem."""
    return [f"{problem.code} {problem.place.policy_path}" for problem in loaded.problems]


def rendered(text: str, history: History | None = None) -> dict[str, str]:
    """Every generated file of a policy without problems."""
    return render_all(policy_of(text), history or History.empty())
