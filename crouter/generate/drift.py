"""Where generated/ on disk differs from what policy.yaml renders, and what mends it. Changes nothing."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from crouter.generate import versions as policy_history
from crouter.generate.emit import generate_command
from crouter.generate.history import FOLDER, Damage, History, HistoryDamagedError, read_history
from crouter.generate.manifest import MANIFEST
from crouter.generate.migrations import added_migration, extend_history
from crouter.generate.render import render_all, render_plan
from crouter.generate.templates import Templates
from crouter.generate.tree import read_tree, was_interrupted
from crouter.generate.versioning import extend_versions, version_problems
from crouter.generate.versions import Versions, read_versions
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy

DIFF_LINES_MAX = 60
DIFF_COLUMNS_MAX = 200

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not what the policy renders."""

    path: str
    """The path from generated/, with slashes."""
    kind: Literal["missing", "stale", "changed"]
    """Not there; there and no output; there with other content."""
    mend: str
    """The command that mends it."""
    diff: str = ""
    """A unified diff from disk to rendering, bounded; empty for a file that is missing or is no text."""


def find_drift(policy: Policy, generated: Path) -> tuple[Difference, ...]:
    """Every difference, sorted by path; none when the folder is in step, to the byte. Raises OSError.

    Python's caches do not count. Files of the migration history that were changed are reported with the command that
    restores them, because generating cannot.
    """
    if was_interrupted(generated):
        return (Difference(MANIFEST, "missing", generate_command(())),)
    present = read_tree(generated) if generated.exists() else {}
    try:
        history = read_history(generated)
        versions = read_versions(generated, policy.policy.version)
    except HistoryDamagedError as problem:
        return _beside_damage(policy, generated, present, problem.damages)
    plan, templates = make_plan(policy), Templates()
    extended = extend_history(plan, templates, history)
    migration = added_migration(history, extended)
    mend = generate_command(migration.destroys if migration else ())
    refused = version_problems(policy, versions)
    if refused:
        # Generating would be refused, so the versions are compared as they stand.
        mend = f"in policy.yaml, {refused[0].hint} ({refused[0].sentence})"
    else:
        versions = extend_versions(plan, templates, versions)
    return tuple(_differences(present, render_plan(plan, templates, extended, versions), mend))


def _beside_damage(
    policy: Policy, generated: Path, present: dict[str, bytes | None], damages: tuple[Damage, ...]
) -> tuple[Difference, ...]:
    """The damaged files, and differences in what does not depend on the history."""
    damaged = [
        Difference(
            damage.path,
            "changed" if damage.path in present else "missing",
            f"git checkout -- {(generated / damage.path).as_posix()}",
        )
        for damage in damages
    ]
    files = render_all(policy, History.empty(), Versions.empty())
    others = _differences(_without_history(present), _without_history(files), generate_command(()))
    return tuple(sorted((*damaged, *others), key=lambda difference: difference.path))


def _without_history(files: dict[str, _T]) -> dict[str, _T]:
    folders = (f"{FOLDER}/", f"{policy_history.FOLDER}/")
    return {path: item for path, item in files.items() if not path.startswith(folders) and path != MANIFEST}


def _differences(present: dict[str, bytes | None], files: dict[str, str], mend: str) -> Iterator[Difference]:
    for path in sorted({*present, *files}):
        if path not in present:
            yield Difference(path, "missing", mend)
        elif path not in files:
            yield Difference(path, "stale", mend, _diff(path, present[path], ""))
        elif present[path] != files[path].encode():
            yield Difference(path, "changed", mend, _diff(path, present[path], files[path]))


def _diff(path: str, content: bytes | None, wanted: str) -> str:
    if content is None:
        return ""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return ""
    lines = list(
        difflib.unified_diff(
            _lines(text), _lines(wanted), f"generated/{path} (on disk)", f"generated/{path} (rendered)", lineterm=""
        )
    )
    left_out = len(lines) - DIFF_LINES_MAX
    shown = [line if len(line) <= DIFF_COLUMNS_MAX else line[:DIFF_COLUMNS_MAX] + " …" for line in lines]
    return "\n".join(shown[:DIFF_LINES_MAX] + ([f"… and {left_out} more lines"] if left_out > 0 else []))


def _lines(text: str) -> list[str]:
    """The lines of `text`, with what the eye would miss made visible: other line ends, and a missing last one."""
    lines = [line.encode("unicode_escape").decode() if not line.isprintable() else line for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\\ no line end"
    return lines
