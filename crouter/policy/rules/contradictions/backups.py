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
        before: Duration | None
        if isinstance(rule, DeleteAfter):
            key, promised, before = "within", rule.within, rule.grace
        elif isinstance(rule, KeepFor):
            # The last trace of a row may leave the disk with its partition only.
            key, promised, before = "keep", rule.keep, rule.partitions
        else:
            continue
        waits = [rule.every, rule.lag_max, *([before] if before is not None else [])]
        without = sum(wait.seconds_max for wait in waits)
        # What cannot hold even without backups is said already (PR-22, PR-23).
        if without <= promised.seconds_min < without + age.seconds_max:
            partitions = f", partitions of {before.text}" if before is not None and isinstance(rule, KeepFor) else ""
            sentence = (
                f"with backups of {age.text}{partitions}, the job's interval and its lag, {promised.text} cannot hold"
            )
            yield Finding(("retention", name, key), sentence, "keep backups for a shorter time, or promise more time")


RULES = (Rule("PX-15", ("disclosures", "retention"), _backups),)
