"""Facts that several records share: legal bases, who receives what, how long it is kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from crouter.plan.words import duration_words
from crouter.plan.worst_case import worst_case
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataField, LegalBasis
from crouter.policy.parts.promises import DeleteAfter, KeepFor, KeepWhileActive
from crouter.policy.types import Duration

MISSING_MARK = "MISSING"
MISSING = f"{MISSING_MARK}: policy.yaml does not declare it"
"""What stands in a record where the law asks for something that the policy does not say."""

BASIS_LETTERS: dict[LegalBasis, str] = {
    "consent": "a",
    "contract": "b",
    "legal_obligation": "c",
    "vital_interests": "d",
    "public_task": "e",
    "legitimate_interests": "f",
}
"""The letter of GDPR Article 6(1) for each legal basis."""

KEPT_WORDS = {
    "none": "not at all",
    "contract": "as long as the contract lasts",
    "legal_obligation": "as long as the law requires",
    "unstated": MISSING,
}
"""How a processor keeps what it received, where that is no period."""


@dataclass(frozen=True, slots=True)
class FieldOfCategory:
    """A field and where it belongs."""

    category: str
    name: str
    field: DataField

    @property
    def path(self) -> str:
        """The field as `receives` names it, as in `account.email`."""
        return f"{self.category}.{self.name}"


class UseOfData:
    """Which fields serve which purpose, and who receives them: looked up once, because every record asks for each."""

    def __init__(self, policy: Policy) -> None:
        self._fields: dict[str, list[FieldOfCategory]] = {}
        for entry in all_fields(policy):
            for purpose in dict.fromkeys(entry.field.purposes):
                self._fields.setdefault(purpose, []).append(entry)
        self._order = {name: position for position, name in enumerate(policy.processors)}
        self._receivers: dict[str, list[str]] = {}
        for name, processor in policy.processors.items():
            for path in dict.fromkeys(processor.receives):
                self._receivers.setdefault(path, []).append(name)

    def fields_for(self, purpose: str) -> list[FieldOfCategory]:
        """The fields that may be read for a purpose, in declared order."""
        return self._fields.get(purpose, [])

    def recipients_of(self, entry: FieldOfCategory) -> list[str]:
        """The processors that receive a field, alone or with its category, in declared order."""
        names = {*self._receivers.get(entry.category, ()), *self._receivers.get(entry.path, ())}
        return sorted(names, key=self._order.__getitem__)


def basis_article(basis: LegalBasis) -> str:
    """`contract` as "GDPR Article 6(1)(b)"."""
    return f"GDPR Article 6(1)({BASIS_LETTERS[basis]})"


def all_fields(policy: Policy) -> Iterator[FieldOfCategory]:
    """Every field of every category, in declared order."""
    for category, data in policy.data.items():
        for name, field in data.fields.items():
            yield FieldOfCategory(category, name, field)


def erasure_of(policy: Policy, category: str) -> list[str]:
    """In words, every rule by which data of a category ends."""
    return [words for name, words in _erasures(policy, category)]


def disclosed(policy: Policy, key: str) -> str | list[str]:
    """What `disclosures` says under a key, or that it says nothing."""
    said = getattr(policy.disclosures, key) if policy.disclosures else None
    if said is None:
        return MISSING
    return said if isinstance(said, str) else list(said)


def in_one_line(said: str | list[str]) -> str:
    """What is disclosed, as a cell of a table."""
    return said if isinstance(said, str) else "; ".join(said)


def kept_words(kept: Duration | str) -> str:
    """How long a processor keeps what it received, in words."""
    return duration_words(kept) if isinstance(kept, Duration) else KEPT_WORDS[kept]


def _erasures(policy: Policy, category: str) -> Iterator[tuple[str, str]]:
    for name, rule in policy.retention.items():
        if category not in rule.of:
            continue
        if isinstance(rule, KeepWhileActive):
            yield name, "kept as long as the account is active"
        elif isinstance(rule, KeepFor):
            yield name, f"kept for {duration_words(rule.keep)} from {rule.from_}, {_at_worst(policy, rule)}"
        else:
            yield name, _deletion(rule, category)


def _at_worst(policy: Policy, rule: KeepFor) -> str:
    longest = worst_case(policy, rule)
    said = [f"gone at most {duration_words(longest.row)} later"]
    if longest.partition is not None:
        said.append(f"with its partition at most {duration_words(longest.partition)} later")
    if longest.backups is not None:
        said.append(f"from backups at most {duration_words(longest.backups)} later")
    return ", ".join(said)


def _deletion(rule: DeleteAfter, category: str) -> str:
    words = f"deleted within {duration_words(rule.within)} after {rule.event}"
    for exception in rule.exceptions:
        if exception.of == category:
            kinds = f" ({', '.join(exception.kinds)})" if exception.kinds else ""
            words += f"; kept{kinds} for {duration_words(exception.keep)} by {exception.law}"
    return words
