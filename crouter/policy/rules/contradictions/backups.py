"""What is promised to be gone is gone from backups too, where their age is declared."""

from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.types import Duration


def _backups(policy: Policy) -> Iterator[Finding]:
    age = policy.disclosures.backups if policy.disclosures else None
    if not isinstance(age, Duration):
        return
    for name, rule in policy.retention.items():
        if isinstance(rule, DeleteAfter):
            key, promised, grace = "within", rule.within, rule.grace.seconds_max
        elif isinstance(rule, KeepFor):
            key, promised, grace = "keep", rule.keep, 0
        else:
            continue
        longest = grace + rule.every.seconds_max + rule.lag_max.seconds_max + age.seconds_max
        if longest > promised.seconds_min:
            sentence = f"with backups of {age.text}, the job's interval and its lag, {promised.text} cannot hold"
            yield Finding(("retention", name, key), sentence, "keep backups for a shorter time, or promise more time")


RULES = (Rule("PX-15", ("disclosures", "retention"), _backups),)
