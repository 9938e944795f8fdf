"""What counts as a word in a log line or a metric: a name that code or the policy gave, never free text."""

import re
from typing import Final

WORD_CHARS_MAX: Final = 80
_WORD = re.compile(r"[A-Za-z0-9_.:/{}-]{1,80}")
_NOT_IN_A_WORD = re.compile(r"[^A-Za-z0-9_.:/{}-]")


def is_word(value: object) -> bool:
    """Whether the value may stand in a log line or a metric as a word."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def kind_of(error: BaseException | type[BaseException] | None) -> str:
    """The type of an exception as a word; its arguments and its traceback are left behind."""
    if error is None:
        return "unknown"
    name = (error if isinstance(error, type) else type(error)).__name__
    return _NOT_IN_A_WORD.sub("_", name)[:WORD_CHARS_MAX]
