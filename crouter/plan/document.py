"""The privacy policy as sentences: sections, their claims, and the sentences composed from values of the policy.

The sentences themselves are in `sentences/`; how they are drawn is in `crouter/generate/views/policy.py`.
"""

from dataclasses import dataclass
from datetime import date

from crouter.plan.formats import day_words
from crouter.plan.own_words import own_words
from crouter.plan.phrases import Sentence, Value
from crouter.plan.sentences.composers import COMPOSERS
from crouter.plan.sentences.topic import topic_of
from crouter.policy.model import Claim, Policy, SentenceKind
from crouter.policy.types import Locale


@dataclass(frozen=True, slots=True)
class DocumentClaim:
    """One claim and the sentences that say it. `about` is its place in policy.yaml as written there."""

    id: str
    says: SentenceKind
    about: str
    enforced_by: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The claim as one run of plain text."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """A titled group of claims. `number` counts from 1."""

    number: int
    title: str
    claims: tuple[DocumentClaim, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole privacy policy, in the order in which it is read."""

    title: str
    service: str
    url: str
    description: str
    contact: str
    version: str
    effective: date
    locale: Locale
    sections: tuple[DocumentSection, ...]

    @property
    def effective_words(self) -> str:
        """The effective date as people write it."""
        return day_words(self.effective, self.locale)

    @property
    def claims(self) -> tuple[DocumentClaim, ...]:
        """The claims of all sections, in order."""
        return tuple(claim for section in self.sections for claim in section.claims)

    def values(self) -> tuple[Value, ...]:
        """Every value that stands in a sentence, in order."""
        return tuple(
            segment
            for claim in self.claims
            for sentence in claim.sentences
            for segment in sentence.segments
            if isinstance(segment, Value)
        )


def compose_document(policy: Policy, locale: Locale | None = None) -> Document:
    """Compose every sentence of a checked policy, in a language that it is published in; its own unless given."""
    locale = locale or policy.policy.locale
    translation = policy.policy.locales.get(locale)
    return Document(
        title=translation.title if translation else policy.policy.title,
        service=policy.service.name,
        url=policy.service.url,
        description=translation.description if translation else policy.service.description,
        contact=policy.controller.contact,
        version=policy.policy.version,
        effective=policy.policy.effective,
        locale=locale,
        sections=tuple(
            DocumentSection(
                number=number,
                title=section.titles.get(locale, section.title),
                claims=tuple(_composed(policy, name, claim, locale) for name, claim in section.claims.items()),
            )
            for number, section in enumerate(policy.sections, start=1)
        ),
    )


def _composed(policy: Policy, name: str, claim: Claim, locale: Locale) -> DocumentClaim:
    said = claim.words.get(locale)
    sentences = [own_words(policy, said, locale)] if said else COMPOSERS[claim.says](topic_of(policy, claim))
    assert sentences, f"claim {name} says nothing"
    return DocumentClaim(
        id=name,
        says=claim.says,
        about=claim.about,
        enforced_by=claim.enforced_by,
        sentences=tuple(sentences),
    )
