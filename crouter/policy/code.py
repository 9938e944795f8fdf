"""What a code of a problem is: title, explanation, and for rules about promises the source and the severity."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

Profile = Literal["gdpr", "uk", "ccpa"]


@dataclass(frozen=True, slots=True)
class Code:
    """What kind of problem a code stands for, and why it is one.

    `source` is the law or paper that a rule comes from. A rule with `profiles` is applied for these laws only.
    """

    title: str
    explanation: str
    source: str = ""
    severity: Severity = "error"
    profiles: tuple[Profile, ...] = ()
