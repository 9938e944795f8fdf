"""Which sentences of the document read differently because of a change."""

from collections.abc import Iterable, Iterator, Mapping

from crouter.plan.difference.change import Change, Said
from crouter.plan.document import Document, DocumentClaim
from crouter.plan.phrases import Value
from crouter.policy.problems import Path


def said_differently(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Said, ...]:
    """The claims that do not read the same, each id with its text; those before first, then those that are new."""
    return tuple(
        Said(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def texts(document: Document) -> dict[str, str]:
    """The text of each claim of a document by its id."""
    return {claim.id: claim.text for claim in document.claims}


class SaidDifferently:
    """The claims of two documents that do not say the same."""

    def __init__(self, before: Document, after: Document) -> None:
        old, new = ({claim.id: claim for claim in document.claims} for document in (before, after))
        self.claims = said_differently(texts(before), texts(after))
        self._paths = {
            said.claim: frozenset(_paths(claim for claim in (old.get(said.claim), new.get(said.claim)) if claim))
            for said in self.claims
        }

    def because_of(self, change: Change) -> tuple[Said, ...]:
        """The claims whose words come from what the change is about."""
        if not change.path:
            return ()
        if change.path[0] == "sections":
            return tuple(said for said in self.claims if said.claim in change.path)
        steps = tuple(str(step) for step in change.path)
        return tuple(said for said in self.claims if any(_touches(steps, path) for path in self._paths[said.claim]))


def _paths(claims: Iterable[DocumentClaim]) -> Iterator[tuple[str, ...]]:
    for claim in claims:
        yield tuple(claim.about.split("."))
        for sentence in claim.sentences:
            for segment in sentence.segments:
                if isinstance(segment, Value):
                    yield from (tuple(path.split(".")) for path in (segment.path, *segment.also))


def _touches(change: Path, place: tuple[str, ...]) -> bool:
    shorter = min(len(change), len(place))
    # A single name is a part as a whole, which nearly every sentence touches.
    return (shorter > 1 and change[:shorter] == place[:shorter]) or change == place
