"""How a command ends: the exit statuses, and the failure that is told as a sentence instead of a traceback."""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses. 2 is kept for `crouter check` and for whatever checks like it, so that scripts can rely on it."""

    DONE = 0
    REFUSED = 1
    DIFFERENCE = 2
    USAGE = 64
    MISTAKE = 70
    INTERRUPTED = 130


STATUS_HELP = (
    "Exit status: 0 done; 1 refused, or something is wrong; 2 generated/ differs from policy.yaml; "
    "64 the command line is wrong; 70 a mistake of Crouter's own; 130 interrupted."
)


class FailureError(Exception):
    """A command cannot do what was asked. The sentence says why, the hint what to do; neither quotes a row."""

    def __init__(self, sentence: str, hint: str = "", status: Status = Status.REFUSED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.status = status
