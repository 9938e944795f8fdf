"""All commands put together, and how each of them ends: an exit status, and a sentence where something is wrong."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from crouter.cli.groups import group
from crouter.cli.outcome import STATUS_HELP, FailureError, Status
from crouter.cli.terminal import Terminal

# In the order of `crouter --help`. Each module has `add_to(app)`. Only that of the command in question is loaded:
# `crouter check` needs no web server and no database driver.
_MODULES: Final = {
    "init": "crouter.cli.init",
    "import": "crouter.cli.import_policy",
    "generate": "crouter.cli.generate",
    "plan": "crouter.cli.plan",
    "check": "crouter.cli.check",
    "lint": "crouter.cli.lint",
    "render": "crouter.cli.render",
    "explain": "crouter.cli.explain",
    "proof": "crouter.cli.proof",
    "openapi": "crouter.cli.openapi",
    "run": "crouter.cli.run_service",
    "serve": "crouter.cli.programs",
    "compile": "crouter.cli.compile",
    "migrate": "crouter.cli.migrate",
    "retention": "crouter.cli.programs",
    "keys": "crouter.cli.keys",
    "limits": "crouter.cli.limits",
    "accounts": "crouter.cli.accounts",
    "ledger": "crouter.cli.ledger",
    "journal": "crouter.cli.journal",
    "reconcile": "crouter.cli.reconcile",
    "requests": "crouter.cli.requests",
    "receipt": "crouter.cli.receipt",
    "publish": "crouter.cli.publish",
    "doctor": "crouter.cli.doctor",
}


def application(command: str | None = None) -> typer.Typer:
    """The command line: of one command, or of all where `command` is none of them."""
    app = group("An Anthropic-compatible API proxy whose privacy policy is executable.", epilog=STATUS_HELP)
    # Without it, an application of one command would lose the command's name.
    app.callback()(_nothing)
    modules = [_MODULES[command]] if command in _MODULES else dict.fromkeys(_MODULES.values())
    for module in modules:
        importlib.import_module(module).add_to(app)
    return app


def main(arguments: Sequence[str]) -> int:
    """Carry a command line out; gives the exit status. No failure that is expected shows a traceback."""
    terminal = Terminal()
    try:
        command = get_command(application(arguments[0] if arguments else None))
        status = command(list(arguments), prog_name="crouter", standalone_mode=False)
        terminal.flush()
        return status if isinstance(status, int) else Status.DONE
    except FailureError as failure:
        terminal.failure(failure)
        return failure.status
    except TyperException as error:
        return _tell_usage(terminal, error)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. What is buffered goes nowhere instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.REFUSED
    except Exception as error:  # noqa: BLE001  told without its message, which may quote anything
        _tell_mistake(terminal, error)
        return Status.MISTAKE


def _nothing() -> None:
    pass


def _tell_usage(terminal: Terminal, error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    # A group without a command has printed its help instead.
    if error.format_message():
        path = context.command_path if context is not None else "crouter"
        terminal.failure(FailureError(error.format_message(), f"`{path} --help` lists what there is"))
    return Status.USAGE


def _tell_mistake(terminal: Terminal, error: Exception) -> None:
    terminal.note(f"crouter made a mistake of its own ({type(error).__name__}); please report it with these lines:")
    for frame in traceback.extract_tb(error.__traceback__):
        terminal.note(f"  {frame.filename}:{frame.lineno} in {frame.name}")
