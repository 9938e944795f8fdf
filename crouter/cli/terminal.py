"""Prints. Colour, bars and wrapping where a person looks; plain, unwrapped text where a program reads.

What is asked for goes to standard output, everything about the asking to standard error. Nothing printed can steer
the terminal: characters that are not printable are shown as their escapes.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from crouter.cli.outcome import FailureError


def visible(text: str) -> str:
    """The text with every character that could steer a terminal shown as its escape; line ends stay."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )


class Terminal:
    """Standard output and standard error of one command."""

    def __init__(self) -> None:
        self.out = Console(highlight=False, markup=False, emoji=False)
        self.err = Console(highlight=False, markup=False, emoji=False, stderr=True)

    @property
    def is_interactive(self) -> bool:
        """Whether a person reads standard output."""
        return self.out.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        """One line, or several, of what was asked for."""
        self.out.print(Text(visible(text), style=style), soft_wrap=True)

    def note(self, text: str, style: str = "") -> None:
        """One line, or several, about what happens."""
        self.err.print(Text(visible(text), style=style), soft_wrap=True)

    def raw(self, text: str) -> None:
        """A whole document, to the byte."""
        sys.stdout.write(text)

    def flush(self) -> None:
        """Hand on what is still buffered."""
        sys.stdout.flush()
        sys.stderr.flush()

    def json(self, value: Any) -> None:
        """A value for scripts."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def failure(self, failure: FailureError) -> None:
        """Why a command was not carried out."""
        self.note(failure.sentence, style="bold red" if self.err.is_terminal else "")
        if failure.hint:
            self.note(f"  hint: {failure.hint}")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something takes a moment, where a person is waiting."""
        if not self.err.is_terminal:
            yield
            return
        with self.err.status(what):
            yield

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A progress bar on standard error, invisible where nobody looks."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as progress:
            yield progress


def counted(number: int, noun: str) -> str:
    """A number and its noun: `1 file`, `3 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
