"""What changed from one version of the policy to the next, as a file for readers of the repository."""

from dataclasses import dataclass
from datetime import date

from crouter.generate.views.policy_prose import markdown_words
from crouter.plan.difference.change import Said
from crouter.plan.plan import Plan
from crouter.plan.words import date_words


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """One claim in Markdown; the words are empty on the side where it is not there."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangesView:
    """Everything that the template draws, in Markdown."""

    header: str
    title: str
    earlier: str
    later: str
    changed: str
    claims: tuple[ClaimChange, ...]


def changes_view(plan: Plan, version: str, effective: date, changed: str, said: tuple[Said, ...]) -> ChangesView:
    """The view of what changed since `version`, which was in effect from `effective`."""
    document = plan.document
    return ChangesView(
        header=plan.header,
        title=markdown_words(f"{document.title}: what changed in version {document.version}"),
        earlier=markdown_words(f"Version {version}, in effect from {date_words(effective)}"),
        later=markdown_words(f"Version {document.version}, in effect from {document.effective_words}"),
        changed=markdown_words(changed),
        claims=tuple(
            ClaimChange(item.claim, markdown_words(item.before or ""), markdown_words(item.after or ""))
            for item in said
        ),
    )
