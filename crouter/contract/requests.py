"""Declares how people use their rights: by when they are answered, and what they can correct."""

from dataclasses import dataclass

from crouter.contract.retention import Period

ONE_MONTH = Period("P1M", months=1, days=0, seconds=0)
"""GDPR, Article 12(3)."""


@dataclass(frozen=True, slots=True)
class Requests:
    """`deadline` is the latest moment for an answer. `corrected` are the fields, `record.field`, that can be corrected.

    `formats` are those of a copy.
    """

    deadline: Period = ONE_MONTH
    corrected: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


BY_LAW = Requests()
"""What holds where nothing is declared."""
