"""Fuzzes one target until its time is over: python -m tests.torture.fuzzing.child TARGET [options of libFuzzer]."""

import importlib
import sys


def main() -> None:
    """Never returns: libFuzzer ends the process, with status 0 if nothing was found."""
    atheris = importlib.import_module("atheris")
    # Imported under instrumentation, so that the fuzzer sees which way an input went.
    with atheris.instrument_imports(include=["crouter.runtime"]):
        targets = importlib.import_module("tests.torture.fuzzing.targets")
    check, _ = targets.TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
