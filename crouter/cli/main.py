"""The entry point. Loads the commands only when it is called, so that Ctrl-C meanwhile is no traceback either."""

import importlib
import os
import sys

from crouter.cli.outcome import Status
from crouter.runtime.compiled.use import use_compiled

# Serves in this very process, and so chooses what is imported before anything of it is.
_SERVES = "run"


def run() -> None:
    """Carry the command line out and end the process with its exit status."""
    try:
        if sys.argv[1:2] == [_SERVES]:
            use_compiled(os.environ)
        status = importlib.import_module("crouter.cli.application").main(sys.argv[1:])
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    sys.exit(int(status))


if __name__ == "__main__":
    run()
