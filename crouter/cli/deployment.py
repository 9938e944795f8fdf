"""Loads the declarations of the project in the current folder: the one place where a command meets generated code.

Crouter does not import `generated`: the library serves any project, and which one is only known when a command is
run in its folder. So the package is looked up there, by its path, and handed on as a value of `crouter.contract`.
"""

import importlib
import sys
from pathlib import Path

from crouter.cli.outcome import FailureError
from crouter.cli.project import GENERATED, Project
from crouter.contract.deployment import Deployment
from crouter.contract.version import ContractMismatchError

_MODULE = "generated.service"


def load_deployment(project: Project) -> Deployment:
    """What generated/ of this project declares. Raises FailureError."""
    folder = project.require_generated().absolute()
    assert folder.name == GENERATED, "commands that run a service take no --output"
    sys.path.insert(0, str(folder.parent))
    try:
        module = importlib.import_module(_MODULE)
    except ContractMismatchError as problem:
        raise FailureError(str(problem)) from problem
    except (ImportError, SyntaxError, AttributeError, TypeError, ValueError) as problem:
        raise FailureError(
            f"{folder} cannot be loaded ({type(problem).__name__}): it was changed by hand or made for another release",
            "`crouter check` shows what differs, `crouter generate` writes it anew",
        ) from problem
    found = Path(module.__file__ or "").resolve()
    if not found.is_relative_to(folder.resolve()):
        raise FailureError(f"another package named generated stands in the way: {found.parent}")
    deployment = getattr(module, "DEPLOYMENT", None)
    if not isinstance(deployment, Deployment):
        raise FailureError(f"{found} declares no deployment", "`crouter generate` writes it anew")
    return deployment
