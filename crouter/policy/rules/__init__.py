"""What has to hold between the parts of a policy, one module for each idea. `frame.py` says what a rule is.

Whether promises contradict each other is judged in `contradictions/`; only what is an error there is among ALL_RULES.
"""

from crouter.policy.rules import (
    claims,
    contradictions,
    filling,
    folds,
    mail,
    needed,
    partitions,
    recipients,
    references,
    retention,
    said,
    surface,
    tables,
    words,
)

ALL_RULES = (
    *references.RULES,
    *tables.RULES,
    *filling.RULES,
    *folds.RULES,
    *needed.RULES,
    *retention.RULES,
    *partitions.RULES,
    *recipients.RULES,
    *surface.RULES,
    *mail.RULES,
    *claims.RULES,
    *said.RULES,
    *words.RULES,
    *contradictions.RULES,
)
"""Every rule. The order does not matter: problems are sorted by place."""

__all__ = ["ALL_RULES"]
