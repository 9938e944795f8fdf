"""What publishing a version of the policy takes, as far as the repository knows: which version, and from which day.

Writes nothing; `emit(publish=True)` freezes the version.
"""

from dataclasses import dataclass
from datetime import date

from crouter.generate.templates import Templates
from crouter.generate.versioning import extend_versions
from crouter.generate.versions import Version, Versions
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy
from crouter.policy.types import Duration

# What `crouter publish` gives where nothing is promised: a change is told before it takes effect.
LEAST_NOTICE = Duration.parse("P1D")


@dataclass(frozen=True, slots=True)
class Publication:
    """One version to be published, or published already."""

    version: Version
    earlier: Version | None
    notices: tuple[Duration, ...]
    """How long before its day it has to be announced: what the version before promised, and what this one does."""
    by_mail: bool

    @property
    def is_announced(self) -> bool:
        """Whether customers have to be told by mail."""
        return self.version.significant and self.by_mail

    @property
    def effective(self) -> date:
        return self.version.effective


def publication(policy: Policy, versions: Versions) -> Publication:
    """The version that `policy` makes beside those that exist. Pure."""
    extended = extend_versions(make_plan(policy), Templates(), versions)
    version = extended.last
    assert version is not None, "a policy makes a version"
    earlier = extended.entries[-2] if len(extended.entries) > 1 else None
    before = extended.policy_of(earlier) if earlier is not None else None
    promised = [changes.notice for changes in (before and before.policy.changes, policy.policy.changes) if changes]
    return Publication(
        version=version,
        earlier=earlier,
        notices=tuple(notice or LEAST_NOTICE for notice in promised),
        # What was promised counts until the new version takes effect.
        by_mail="email" in {one.policy.changes.announced_by for one in (before, policy) if one is not None},
    )
