"""Writes text as CommonMark reads it: as text, whatever it holds."""

import re

_ANYWHERE = re.compile(r"[\\`*_\[\]<>|~&$]")
_AT_START = re.compile(r"^(?:([#+=:-])|(\d+)([.)]))")


def markdown_text(text: str) -> str:
    """`text` so that it stays one run of plain text. Line breaks become spaces: text of the policy has none."""
    line = " ".join(text.split("\n"))
    escaped = _ANYWHERE.sub(lambda match: "\\" + match[0], line)
    return _AT_START.sub(lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", escaped)
