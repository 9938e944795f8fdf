"""`crouter compile`: makes machine code of the data path, which the service then runs in place of its sources."""

import os
import time
from typing import Annotated

import typer

from crouter.cli.groups import OPERATING
from crouter.cli.options import JsonOption
from crouter.cli.outcome import FailureError, Status
from crouter.cli.terminal import Terminal
from crouter.runtime.compiled.build import CannotCompileError, CompilationError, build
from crouter.runtime.compiled.use import INTERPRETED, fitting, is_forbidden


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compile", rich_help_panel=OPERATING)(compile_sources)


def compile_sources(
    check: Annotated[
        bool, typer.Option("--check", help="Say whether it was done for these very sources; compile nothing.")
    ] = False,
    if_possible: Annotated[
        bool, typer.Option("--if-possible", help="Exit with 0, too, where mypyc or a C compiler is missing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Compile what every request passes through: the service then needs less processor time, and does the same.

    It needs mypyc (the packages mypy and setuptools) and a C compiler, and takes less than a minute. What is compiled
    lies in the environment that Crouter is installed in, and is used while it is of the very sources that are there.
    With --check: exits with 0 if the service will use it, with 2 if it will run its sources.
    """
    terminal = Terminal()
    if check:
        return _tell_form(terminal, as_json=json)
    began = time.monotonic()
    try:
        with terminal.working("Compiling"):
            done = build()
    except CannotCompileError as reason:
        if not if_possible:
            hint = "Crouter does the same without, and takes more processor time"
            raise FailureError(f"nothing was compiled: {reason}", hint) from reason
        if json:
            terminal.json({"state": "impossible", "reason": str(reason)})
        else:
            terminal.note(f"Nothing was compiled, and the sources are run: {reason}")
        return Status.DONE
    except CompilationError as reason:
        raise FailureError(f"the sources were not compiled:\n{reason}") from reason
    if json:
        terminal.json({"state": "compiled", "new": done.is_new})
    elif done.is_new:
        terminal.line(f"compiled in {time.monotonic() - began:.0f} s; a service that is started from now on uses it")
    else:
        terminal.line("compiled already")
    return Status.DONE


def _tell_form(terminal: Terminal, *, as_json: bool) -> int:
    is_there, forbidden = fitting() is not None, is_forbidden(os.environ)
    state = "forbidden" if forbidden else "compiled" if is_there else "interpreted"
    if as_json:
        terminal.json({"state": state})
    else:
        terminal.line(
            {
                "compiled": "compiled: the service uses it",
                "interpreted": "not compiled: the service runs its sources",
                "forbidden": f"{INTERPRETED} is set: the service runs its sources",
            }[state]
        )
    return Status.DONE if state == "compiled" else Status.DIFFERENCE
