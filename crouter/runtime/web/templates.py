"""Draws our own pages. Everything put into a page is escaped; a missing name is an error."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crouter.runtime.web.amounts import usd, usd_plain, usd_short

FOLDER = Path(__file__).parent
PARTS: Final = "parts.html.jinja"


def page_environment() -> Environment:
    """The templates of this package. All of them know the macros of `parts.html.jinja` as `parts`."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"usd": usd, "usd_short": usd_short, "usd_plain": usd_plain}
    environment.globals["parts"] = environment.get_template(PARTS).module
    return environment
