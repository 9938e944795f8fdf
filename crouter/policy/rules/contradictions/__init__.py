"""Rules about promises: two parts of a policy that cannot both be true. Those of `ADVICE` are warnings."""

from crouter.policy.rules.contradictions import (
    backups,
    configured,
    identity,
    keeping,
    kept,
    negatives,
    parties,
    receiving,
    sharing,
    sinks,
)

RULES = (
    *kept.RULES,
    *identity.RULES,
    *sinks.RULES,
    *sharing.RULES,
    *keeping.RULES,
    *receiving.RULES,
    *parties.RULES,
    *configured.RULES,
    *negatives.RULES,
    *backups.RULES,
)
"""What is an error."""

ADVICE = (*sinks.ADVICE, *identity.ADVICE, *keeping.ADVICE, *receiving.ADVICE, *parties.ADVICE)
"""What is worth a look."""

__all__ = ["ADVICE", "RULES"]
