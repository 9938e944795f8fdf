"""The entry point. Loads the commands only when it is called, so that Ctrl-C meanwhile is no traceback either."""

import importlib
import sys

from crouter.cli.outcome import Status


def run() -> None:
    """Carry the command line out and end the process with its exit status."""
    try:
        status = importlib.import_module("crouter.cli.application").main(sys.argv[1:])
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    sys.exit(int(status))


if __name__ == "__main__":
    run()
