"""Draws sentences as runs of Markdown and of plain text. Text of the policy stays text in both."""

import re
import textwrap
from collections.abc import Sequence

from crouter.generate.markdown import markdown_text
from crouter.plan.phrases import Sentence, Value

TEXT_WIDTH = 80
"""The width of the plain text, in characters."""

_MARGIN_MAX = 26
# Beyond CommonMark: what renderers in use turn into links, headings' attributes, emoji or template values.
_EXTENDED = re.compile(r"(?<=[A-Za-z])(?=://)|(?<=\w)(?=@)|(?<=www)(?=\.)|(?=[{}])|(?<!^\\)(?=#)", re.IGNORECASE)


def markdown_words(text: str) -> str:
    """`text` as Markdown that every common renderer shows as that text."""
    return _EXTENDED.sub(r"\\", markdown_text(text))


def markdown_prose(sentences: Sequence[Sentence]) -> str:
    """Sentences as one line of Markdown."""
    return " ".join(_markdown_sentence(sentence) for sentence in sentences)


def text_claim(claim_id: str, sentences: Sequence[Sentence], margin: int) -> str:
    """Sentences as lines of plain text, beside the id of their claim.

    `margin` is the length of the longest id; an id that leaves no room stands on a line of its own.
    """
    indent = min(margin, _MARGIN_MAX) + 4
    lines = textwrap.wrap(
        " ".join(_text_sentence(sentence) for sentence in sentences),
        TEXT_WIDTH - indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    marginal = f"[{claim_id}]"
    if len(marginal) > indent - 2:
        return "\n".join([marginal, *(" " * indent + line for line in lines)])
    return "\n".join(
        [marginal.ljust(indent) + lines[0], *(" " * indent + line for line in lines[1:])],
    )


def _markdown_sentence(sentence: Sentence) -> str:
    drawn: list[str] = []
    words = ""
    for segment in sentence.segments:
        link = segment.link if isinstance(segment, Value) else None
        if link is None:
            words += segment.text
            continue
        drawn += [markdown_words(words), f"[{markdown_words(segment.text)}](<{link}>)"]
        words = ""
    return "".join([*drawn, markdown_words(words)])


def _text_sentence(sentence: Sentence) -> str:
    return "".join(
        f"{segment.text} ({segment.link})"
        if isinstance(segment, Value) and segment.link and segment.text not in segment.link
        else segment.text
        for segment in sentence.segments
    )
