"""Writes what a policy renders to generated/: all files or none, and nothing that would destroy data unasked."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from crouter.generate.history import read_history
from crouter.generate.manifest import MANIFEST
from crouter.generate.migrations import added_migration, extend_history
from crouter.generate.render import render_plan
from crouter.generate.templates import Templates
from crouter.generate.tree import Disk, TreeError, held, read_tree, recover, replace_tree
from crouter.generate.versioning import VersionRefusedError, extend_versions, version_problems
from crouter.generate.versions import read_versions
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Emitted:
    """What changed on disk, as paths below generated/."""

    written: tuple[str, ...]
    """New files and files with new content."""
    removed: tuple[str, ...]


class DestructiveMigrationError(Exception):
    """The next migration would destroy data, and nobody said that it may. Nothing was written."""

    def __init__(self, destroys: tuple[str, ...]) -> None:
        self.destroys = destroys
        super().__init__(
            f"this change of policy.yaml removes from the database for good: {', '.join(destroys)}\n"
            f"  hint: if that is meant, run `{generate_command(destroys)}`"
        )


def generate_command(destroys: Collection[str]) -> str:
    """The command that writes generated/ anew and allows what it destroys."""
    return " ".join(("crouter generate", *(f"--destroy {name}" for name in destroys)))


def emit(
    policy: Policy,
    generated: Path,
    *,
    destroy: Collection[str] = (),
    disk: Disk | None = None,
    publish: bool = False,
) -> Emitted:
    """Bring the folder `generated` in step with `policy`; with `publish` its version is final from now on.

    `destroy` names what the next migration may destroy, as `Migration.destroys` does. Files that no output has are
    removed; a tree that is in step already is not touched. Raises DestructiveMigrationError, HistoryDamagedError,
    VersionRefusedError and TreeError, after which the old files are in place (or the message says otherwise).
    """
    disk = disk or Disk()
    with held(generated):
        recover(generated, disk)
        try:
            history = read_history(generated)
            versions = read_versions(generated, policy.policy.version)
            present = read_tree(generated) if generated.exists() else {}
        except OSError as problem:
            raise TreeError(f"{generated} cannot be read: {problem.strerror}") from problem
        if problems := version_problems(policy, versions):
            raise VersionRefusedError(problems)
        plan, templates = make_plan(policy), Templates()
        extended = extend_history(plan, templates, history)
        migration = added_migration(history, extended)
        unconfirmed = tuple(name for name in migration.destroys if name not in destroy) if migration else ()
        if migration and unconfirmed:
            raise DestructiveMigrationError(migration.destroys)
        named = extend_versions(plan, templates, versions)
        files = render_plan(plan, templates, extended, named.published() if publish else named)
        _require_ours(generated, present, files)
        wanted: dict[str, bytes | None] = {path: text.encode() for path, text in files.items()}
        if wanted != present:
            replace_tree(generated, files, disk)
    return Emitted(
        written=tuple(path for path, content in wanted.items() if present.get(path) != content),
        removed=tuple(path for path in present if path not in wanted),
    )


def _require_ours(generated: Path, present: Collection[str], files: Collection[str]) -> None:
    """Refuse to clear a folder that was never generated, such as somebody's home given by mistake."""
    ours = {path.partition("/")[0] for path in files}
    foreign = sorted({path.partition("/")[0] for path in present} - ours)
    if foreign and MANIFEST not in present:
        raise TreeError(f"{generated} holds {foreign[0]} and no {MANIFEST}: it was not generated, nothing was written")
