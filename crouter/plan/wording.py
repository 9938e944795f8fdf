"""Rules about the sentences that the library composes: their own words, without the values of the policy in them.

Texts of the author are judged in `crouter/policy/rules/wording.py`.
"""

import re
from collections.abc import Iterator

from crouter.plan.document import compose_document
from crouter.plan.phrases import Text
from crouter.policy.model import Policy
from crouter.policy.rules.claims import placed_claims
from crouter.policy.rules.contradictions.parties import EVERYTHING
from crouter.policy.rules.frame import Check, Finding, Rule
from crouter.policy.rules.wording import CONTINUED_USE, HEDGE, PRAISE

# "We may change this policy" is what that sentence is for, what data "could be derived from" is a promise about more
# than is known, and "securely" stands beside the measure there.
_MEANT = {"PW-01": ("may_change", "excludes"), "PW-02": ("seals_keys", "processor"), "PW-03": ("accepts_changes",)}


def _finder(code: str, pattern: re.Pattern[str], what: str, hint: str) -> Check:
    def check(policy: Policy) -> Iterator[Finding]:
        paths = {placed.name: placed.path for placed in placed_claims(policy)}
        for claim in compose_document(policy).claims:
            if claim.says in _MEANT[code]:
                continue
            for sentence in claim.sentences:
                own = "…".join(segment.text for segment in sentence.segments if isinstance(segment, Text))
                if match := pattern.search(own):
                    yield Finding(paths[claim.id], f"the sentence of {claim.id} says “{match[0]}”, which {what}", hint)

    return check


SENTENCE_RULES = (
    Rule("PW-01", EVERYTHING, _finder("PW-01", HEDGE, "leaves open what is done", "what is declared below tells more")),
    Rule("PW-02", EVERYTHING, _finder("PW-02", PRAISE, "nobody can verify", "name the measure instead")),
    Rule("PW-03", EVERYTHING, _finder("PW-03", CONTINUED_USE, "takes going on for consent", "ask for consent")),
)
"""Judged of whole, valid policies only: other ones have no sentences."""
