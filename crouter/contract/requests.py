"""Declares how people use their rights: by when they are answered, and what they can correct."""

from dataclasses import dataclass

from crouter.contract.retention import Period


@dataclass(frozen=True, slots=True)
class Requests:
    """`deadline` is the latest moment for an answer. `corrected` are the fields, `record.field`, that can be corrected.

    `formats` are those of a copy.
    """

    deadline: Period
    corrected: tuple[str, ...]
    formats: tuple[str, ...]
