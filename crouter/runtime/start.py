"""Where the service's process begins: what was compiled is put in place before anything of it is imported."""

import importlib
import os
from pathlib import Path

from crouter.contract.deployment import Deployment
from crouter.runtime.compiled.use import use_compiled


def start(deployment: Deployment, generated: Path) -> int:
    """Runs the service until it is told to stop. Gives the exit status: 0 stopped, 1 could not start."""
    use_compiled(os.environ)
    status: int = importlib.import_module("crouter.runtime.serve").serve(deployment, generated=generated)
    return status
