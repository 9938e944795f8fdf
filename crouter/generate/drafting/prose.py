"""Cuts a policy written for people into sentences, each with the line on which it begins.

Reads Markdown, HTML and plain text as far as sentences need it: marks go, words stay. Headings are no sentences.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset(
    (
        "p",
        "li",
        "div",
        "section",
        "article",
        "br",
        "tr",
        "td",
        "th",
        "ul",
        "ol",
        "table",
        "header",
        "footer",
        "dd",
        "dt",
    )
)
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "title"))
_SILENT: Final = frozenset(("script", "style", "head", "nav", "template"))
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_RULE = re.compile(r"^\s*([=\-*_])(\s*\1){2,}\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|>)\s+")
_LINK = re.compile(r"!?\[([^\]\n]{0,400})\]\([^)\n]{0,400}\)")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|<(https?://[^>\s]{1,300})>")
_END = re.compile(r"[.!?][\"”')\]]*\s+(?=[\"“'(\[]?[A-Z0-9])")
_ABBREVIATIONS: Final = ("e.g.", "i.e.", "etc.", "inc.", "ltd.", "co.", "art.", "no.", "approx.", "vs.", "st.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the text; lines count from 1. The words are printable and on one line."""

    line: int
    text: str


def sentences(text: str, *, is_html: bool) -> tuple[Sentence, ...]:
    """Every sentence, in order."""
    blocks = _html_blocks(text) if is_html else _text_blocks(text)
    return tuple(sentence for block in blocks for sentence in _split(block))


_Block = list[tuple[int, str]]


def _text_blocks(text: str) -> Iterator[_Block]:
    """Paragraphs and items, as lines with their numbers."""
    block: _Block = []
    for number, line in enumerate(text.splitlines(), start=1):
        ends = not line.strip() or _HEADING.match(line) or _RULE.match(line)
        if (ends or _ITEM.match(line)) and block:
            # A line under which a rule stands is a heading.
            if not (_RULE.match(line) and len(block) == 1):
                yield block
            block = []
        if not ends:
            block.append((number, _MARKS.sub(r"\1", _LINK.sub(r"\1", _ITEM.sub("", line)))))
    if block:
        yield block


class _HtmlText(HTMLParser):
    """Collects the text of blocks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[_Block] = [[]]
        self._silent = 0
        self._heading = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a block where the tag does."""
        self._silent += tag in _SILENT
        self._heading += tag in _HEADINGS
        if tag in _BLOCKS or tag in _HEADINGS:
            self.blocks.append([])

    def handle_endtag(self, tag: str) -> None:
        """End a block where the tag does."""
        self._silent = max(self._silent - (tag in _SILENT), 0)
        self._heading = max(self._heading - (tag in _HEADINGS), 0)
        if tag in _BLOCKS or tag in _HEADINGS:
            self.blocks.append([])

    def handle_data(self, data: str) -> None:
        """Take words that a reader sees."""
        if not self._silent and not self._heading:
            first = self.getpos()[0]
            block = self.blocks[-1]
            for number, line in enumerate(data.split("\n"), start=first):
                # Words in bold go on in the same line, with the space that stands there or none.
                if block and block[-1][0] == number:
                    block[-1] = (number, block[-1][1] + line)
                else:
                    block.append((number, line))


def _html_blocks(text: str) -> Iterator[_Block]:
    parser = _HtmlText()
    parser.feed(text)
    parser.close()
    kept = ([(number, line) for number, line in block if line.strip()] for block in parser.blocks)
    return (block for block in kept if block)


def _split(block: _Block) -> Iterator[Sentence]:
    joined, starts = "", []
    for number, line in block:
        words = " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())
        joined = f"{joined} {words}".strip()
        starts.append((len(joined) - len(words), number))
    begin = 0
    for match in (*_END.finditer(joined), None):
        end = match.end() if match else len(joined)
        if match and joined[: match.end()].rstrip().lower().endswith(_ABBREVIATIONS):
            continue
        words = joined[begin:end].strip()
        # A number or a mark alone says nothing.
        if re.search(r"[^\W\d_]{2}", words):
            yield Sentence(max(number for start, number in starts if start <= begin), words)
        begin = end
