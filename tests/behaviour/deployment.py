"""What behaviour tests run: everything that the repository's policy generates, in a folder of the test session."""

from dataclasses import dataclass
from pathlib import Path

from crouter.contract.deployment import Deployment
from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load

POLICY = Path(__file__).resolve().parents[2] / "policy.yaml"


@dataclass(frozen=True)
class Generated:
    """A deployment and the folder of the files that were generated with it."""

    deployment: Deployment
    folder: Path

    @property
    def migrations(self) -> Path:
        return self.folder / "database" / "migrations"


def generate_into(folder: Path) -> Generated:
    """Generates everything from policy.yaml."""
    loaded = load(POLICY.read_text(encoding="utf-8"))
    assert loaded.policy is not None, loaded.problems
    emit(loaded.policy, folder)
    return Generated(make_plan(loaded.policy).deployment, folder)
