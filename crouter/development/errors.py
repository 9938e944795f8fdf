"""Why a development run cannot begin or go on. Messages name paths, ports and commands, never a key."""


class DevelopmentError(Exception):
    """The run cannot begin or go on; the message says why, `hint` what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class AlreadyRunningError(DevelopmentError):
    """Another run holds the folder."""
