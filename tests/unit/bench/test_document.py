"""Measured tables get into a document between their marks, and nowhere else."""

from pathlib import Path

import pytest

from bench.__main__ import DOCUMENT
from bench.document import replaced, write_parts
from bench.errors import BenchError

TEXT = "before\n\n<!-- bench:proxy -->\n\nold\n\n<!-- /bench:proxy -->\n\nafter\n"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    once = replaced(TEXT, "proxy", "| new \\1 |\n")
    assert once == TEXT.replace("old", "| new \\1 |")
    assert replaced(once, "proxy", "| new \\1 |") == once


@pytest.mark.parametrize("text", ["", TEXT + TEXT, TEXT.replace("/bench", "bench")])
def test_marks_that_are_missing_or_double_are_refused_and_nothing_is_written(text: str, tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match="one part"):
        write_parts(document, {"proxy": "new"})
    assert document.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["render", "proxy", "proxy-spreads", "soak"])
def test_the_real_document_has_every_mark(name: str) -> None:
    assert "new" in replaced(DOCUMENT.read_text(encoding="utf-8"), name, "new")
