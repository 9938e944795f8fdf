"""Replaces itself by a program that Linux interrupts when the parent dies.

Run as a script, `lifeline.py PROGRAM [ARGUMENT ...]`, where util-linux's `setpriv` is missing.
Linux only. The program keeps the process id.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def run(program: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    os.execvp(program[0], program)  # noqa: S606 - the launcher's own command line, no shell


if __name__ == "__main__":
    run(sys.argv[1:])
