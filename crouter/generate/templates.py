"""Draws views as text. Templates stand in `templates/`, at the path of the output they draw.

A template sees one name, `view`. A name that is missing is an error, and so is a filter that is not listed here.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.filters import FILTERS
from markupsafe import Markup

from crouter.generate.markdown import markdown_text
from crouter.generate.python import python_source
from crouter.plan import sql

_FOLDER = Path(__file__).with_name("templates")

# What ends a script element or a comment in HTML, and what older JavaScript takes for the end of a line.
_JSON_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def json_text(value: object, indent: int | None = None) -> str:
    """`value` as JSON that is safe inside a script element too. Mappings keep their order."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    # Only strings can hold these characters, so the escapes always stand inside one.
    return Markup(text.translate(_JSON_ESCAPES))  # noqa: S704 - nothing that HTML reads is left in it


def yaml_text(text: str) -> str:
    """`text` as a double-quoted scalar of YAML, which reads every escape that JSON writes. One line stays one line."""
    return json.dumps(text, ensure_ascii=False)


FILTER_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "python_literal": python_source,
    "sql_literal": sql.literal,
    "sql_identifier": sql.identifier,
    "markdown": markdown_text,
    "json": json_text,
    "yaml": yaml_text,
    "join": FILTERS["join"],
    "indent": FILTERS["indent"],
}
"""Every filter that a template may use."""


class Templates:
    """The templates of one folder."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder, encoding="utf-8"),
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html.jinja", "svg.jinja"), default_for_string=True, default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._environment.filters.clear()
        self._environment.filters.update(FILTER_FUNCTIONS)
        self._environment.globals.clear()

    def render(self, name: str, view: object) -> str:
        """The text of template `name`, such as `service/records/record.py.jinja`, for `view`."""
        return self._environment.get_template(name).render(view=view)
