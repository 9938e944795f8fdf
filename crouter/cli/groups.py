"""How groups of commands look and behave, the same everywhere, and the headings of `crouter --help`."""

from typing import Final

import typer

MAKING: Final = "From policy.yaml to code"
TRYING: Final = "On this machine"
OPERATING: Final = "In production"


def group(text: str, epilog: str | None = None) -> typer.Typer:
    """An empty group of commands. Tracebacks are not Typer's: it would show the values of variables."""
    return typer.Typer(
        help=text,
        epilog=epilog,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
