"""Who gives a command that looks at what is kept about a person, and why: both are recorded before anything is read."""

import getpass
import os
from typing import Annotated, Final

import typer

from crouter.cli.outcome import FailureError, Status
from crouter.runtime.access_records import NoReasonError, Operator

OPERATOR: Final = "CROUTER_OPERATOR"
NAME_CHARS_MAX: Final = 80

PurposeOption = Annotated[
    str, typer.Option("--purpose", help="Why you look at this person's data; it is recorded, and they can read it.")
]


def operator(purpose: str) -> Operator:
    """The person at this command line: CROUTER_OPERATOR, or the user of the system. Raises FailureError."""
    try:
        return Operator(_name(), purpose)
    except NoReasonError as problem:
        raise FailureError(
            f"say why: {problem}", 'add --purpose "the reason"; the person can read it', status=Status.USAGE
        ) from None


def _name() -> str:
    name = os.environ.get(OPERATOR, "").strip()
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = f"uid {os.getuid()}"
    if len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise FailureError(f"{OPERATOR} is one line of at most {NAME_CHARS_MAX} characters")
    return name
