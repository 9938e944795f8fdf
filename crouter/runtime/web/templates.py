"""Draws our own pages. Everything put into a page is escaped; a missing name is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


def page_environment() -> Environment:
    """The templates of this package."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def draw(environment: Environment, name: str, view: Any) -> bytes:
    """One page; its template sees one name, `view`."""
    return environment.get_template(name).render(view=view).encode()
