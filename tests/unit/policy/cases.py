"""The bad policies of tests/cases/problems, and the smallest good one that most of them are an edit of.

A case is a folder. `edit.txt` changes lines of tests/cases/minimal/policy.yaml: after a comment that says the mistake,
lines that begin with `-` are replaced by the lines that begin with `+` below them. `policy.yaml` is a whole file, for
mistakes that leave nothing else to see. `problems.txt` is what has to be reported, to the letter.

Those of tests/cases/findings are edits of tests/cases/complete/policy.yaml, in which `crouter lint` finds nothing;
their problems.txt is what it then finds on the day `TODAY`.

`python -m tests.unit.policy.cases` writes every problems.txt anew: read each changed line before you keep it.
"""

from datetime import date
from pathlib import Path

from crouter.plan.wording import SENTENCE_RULES
from crouter.policy.lint import Report, lint
from crouter.policy.load import Loaded, load
from crouter.policy.problems import as_text

CASES = Path(__file__).resolve().parents[2] / "cases"
MINIMAL = CASES / "minimal" / "policy.yaml"
COMPLETE = CASES / "complete" / "policy.yaml"
NAMES = sorted(path.name for path in (CASES / "problems").iterdir() if path.is_dir())
FINDINGS = sorted(path.name for path in (CASES / "findings").iterdir() if path.is_dir())
TODAY = date(2026, 1, 15)


def text_of(name: str) -> str:
    """The bad policy of a case."""
    folder = CASES / "problems" / name
    whole = folder / "policy.yaml"
    if whole.exists():
        return whole.read_text(encoding="utf-8")
    return edited(MINIMAL.read_text(encoding="utf-8"), (folder / "edit.txt").read_text(encoding="utf-8"))


def edited(text: str, edit: str) -> str:
    """The text with each block of `-` lines, which stands in it exactly once, replaced by the `+` lines below it."""
    for old, new in _blocks(edit):
        assert f"\n{text}".count(f"\n{old}") == 1, f"an edit has to fit exactly one place: {old}"
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


def loaded(name: str) -> Loaded:
    """What comes of loading the bad policy of a case."""
    return load(text_of(name), "policy.yaml")


def finding_text_of(name: str) -> str:
    """The policy of a case of `crouter lint`."""
    return edited(
        COMPLETE.read_text(encoding="utf-8"), (CASES / "findings" / name / "edit.txt").read_text(encoding="utf-8")
    )


def linted(name: str) -> Report:
    """What `crouter lint` finds in the policy of a case."""
    return lint(finding_text_of(name), "policy.yaml", TODAY, (), SENTENCE_RULES)


def _blocks(edit: str) -> list[tuple[str, str]]:
    blocks: list[tuple[str, str]] = []
    for line in edit.splitlines():
        old, new = blocks[-1] if blocks else ("", "")
        if line.startswith("-") and (new or not old):
            blocks.append((f"{line[1:]}\n", ""))
        elif line.startswith("-"):
            blocks[-1] = (f"{old}{line[1:]}\n", "")
        elif line.startswith("+"):
            blocks[-1] = (old, f"{new}{line[1:]}\n")
        else:
            assert not line or line.startswith("#"), f"neither - nor + nor #: {line}"
            if not line:
                blocks.append(("", ""))
    return [block for block in blocks if block[0]]


def _renew() -> None:
    for name in NAMES:
        problems = as_text(loaded(name).problems)
        (CASES / "problems" / name / "problems.txt").write_text(problems, encoding="utf-8")
    for name in FINDINGS:
        problems = as_text(linted(name).problems)
        (CASES / "findings" / name / "problems.txt").write_text(problems, encoding="utf-8")


if __name__ == "__main__":
    _renew()
