"""Puts measured tables into docs/performance.md, between marks, so that no figure there is typed by hand."""

import re
from pathlib import Path

from bench.errors import BenchError

_PART = "<!-- bench:{name} -->"
_END = "<!-- /bench:{name} -->"


def replaced(text: str, name: str, content: str) -> str:
    """The text with what stands between the marks of that name replaced. Raises BenchError where there are none."""
    begin, end = _PART.format(name=name), _END.format(name=name)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise BenchError(f"there has to be one part between {begin} and {end}")
    # A function, so that no character of the content means anything.
    return pattern.sub(lambda found: f"{begin}\n\n{content.strip()}\n\n{end}", text)


def write_parts(path: Path, parts: dict[str, str]) -> None:
    """Replaces several parts of a file. Raises BenchError before anything is written."""
    text = path.read_text(encoding="utf-8")
    for name, content in parts.items():
        text = replaced(text, name, content)
    path.write_text(text, encoding="utf-8")
