"""What kind of statement a claim makes, and so what has to stand behind it.

A fact stands behind itself: the document takes it from policy.yaml. Everything else says what will or will not
happen, and that is enforced by a mechanism or done by a person.
"""

from collections.abc import Mapping
from typing import Final, Literal

from crouter.policy.model import Claim, Policy, SentenceKind

StatementKind = Literal["promise", "negative", "deadline", "right", "fact"]

STATEMENTS: Final[Mapping[SentenceKind, StatementKind]] = {
    "collects": "promise",
    "pays": "negative",
    "excludes": "negative",
    "passes_through": "negative",
    "office": "fact",
    "uses": "promise",
    "processor": "promise",
    "seals_keys": "promise",
    "encrypts_transport": "promise",
    "runs_at_edge": "promise",
    "retains": "deadline",
    "deletes": "deadline",
    "right": "right",
    "answers": "deadline",
    "sets_cookies": "promise",
    "measures": "promise",
    "no_advertising": "negative",
    "may_change": "fact",
    "announces_changes": "promise",
    "accepts_changes": "fact",
    "contact": "fact",
}
"""The kind of statement that each kind of sentence makes."""


def statement_of(policy: Policy, claim: Claim) -> StatementKind:
    """The kind of statement a claim makes; where a change needs consent, that it has to be given is a promise."""
    if claim.says == "accepts_changes" and policy.policy.changes.acceptance == "explicit_consent":
        return "promise"
    return STATEMENTS[claim.says]
