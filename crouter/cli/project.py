"""Where a project's files are: policy.yaml, generated/ beside it, and .crouter/, which is never committed."""

from dataclasses import dataclass
from pathlib import Path

from crouter.cli.outcome import FailureError

POLICY = "policy.yaml"
GENERATED = "generated"
STATE = ".crouter"
REFERENCE = "docs/policy-reference.md"


@dataclass(frozen=True, slots=True)
class Project:
    """The policy of a project and the folder of its outputs, as they were named on the command line."""

    policy: Path
    generated: Path

    @classmethod
    def at(cls, policy: Path | None = None, generated: Path | None = None) -> "Project":
        """The project of the current folder, unless files are named; generated/ stands beside the policy."""
        policy = Path(POLICY) if policy is None else policy
        return cls(policy, policy.parent / GENERATED if generated is None else generated)

    @property
    def folder(self) -> Path:
        """The folder that holds the policy."""
        return self.policy.parent

    @property
    def state(self) -> Path:
        """What development keeps: database, secrets, dev.json."""
        return self.folder / STATE

    @property
    def migrations(self) -> Path:
        """The folder of generated migrations."""
        return self.generated / "database" / "migrations"

    @property
    def reference(self) -> Path:
        """The reference of the policy language, which a project may keep among its documents."""
        return self.folder / REFERENCE

    @property
    def options(self) -> str:
        """What has to stand on a command line to name this project again."""
        usual = Project.at(self.policy)
        parts = [f"--policy {self.policy}"] if self.policy != Path(POLICY) else []
        parts += [f"--output {self.generated}"] if self.generated != usual.generated else []
        return "".join(f" {part}" for part in parts)

    def require_generated(self) -> Path:
        """The folder of outputs. Raises FailureError where nothing was generated."""
        if not (self.generated / "MANIFEST.json").is_file():
            raise FailureError(
                f"{self.generated} holds nothing that was generated",
                f"run `crouter generate{self.options}` in the folder of policy.yaml first",
            )
        return self.generated
