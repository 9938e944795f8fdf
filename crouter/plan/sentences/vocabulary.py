"""The phrases that several kinds of sentence share: categories, fields, purposes, prohibitions, cookies."""

from collections.abc import Iterable, Mapping

from crouter.plan.phrases import Phrase, Sentence, Value, listed, phrase, plain, sentence
from crouter.plan.words import has_determiner
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory, DataField, Never

_SHARING = {"share": "with third parties", "share_for_marketing": "with third parties for marketing"}


def category(policy: Policy, name: str) -> Value:
    """The label of a data category."""
    return Value(f"data.{name}.label", policy.data[name].label)


def categories(policy: Policy, names: Iterable[str]) -> Phrase:
    """The labels of data categories, as a list."""
    return listed(category(policy, name) for name in names)


def source_of(policy: Policy, owner: DataCategory, field: DataField) -> str:
    """The name of the source that fills the field."""
    return field.source or owner.source


def fields(policy: Policy, owner_name: str, names: Iterable[str]) -> Phrase:
    """The labels of fields of one category, as a list; "your" stands first where an identity fills them."""
    owner = policy.data[owner_name]
    named = tuple(names)
    labels = listed(Value(f"data.{owner_name}.fields.{name}.label", owner.fields[name].label) for name in named)
    given = all(policy.sources[source_of(policy, owner, owner.fields[name])].kind == "identity" for name in named)
    return phrase("your ", labels) if given and not has_determiner(plain(labels)) else labels


def purposes(policy: Policy, names: Iterable[str]) -> Phrase:
    """The labels of purposes, as a list in the order in which the policy declares them."""
    wanted = set(names)
    return listed(
        Value(f"purposes.{name}.label", purpose.label) for name, purpose in policy.purposes.items() if name in wanted
    )


def purposes_of(fields: Iterable[DataField]) -> set[str]:
    """The names of all purposes of the fields."""
    return {name for field in fields for name in field.purposes}


def prohibition(policy: Policy, name: str) -> list[Sentence]:
    """What is never done with something, and what that covers."""
    never = policy.never[name]
    label = Value(f"never.{name}.label", never.label)
    verbs = [(number, verb) for number, verb in enumerate(never.not_)]
    said = []
    plain_verbs = [Value(f"never.{name}.not.{number}", verb) for number, verb in verbs if verb not in _SHARING]
    if plain_verbs:
        said.append(sentence("we do not ", listed(plain_verbs, "or"), " ", label))
    for number, verb in verbs:
        if verb in _SHARING:
            shared = Value(f"never.{name}.not.{number}", "share")
            said.append(sentence("we do not ", shared, " ", label, " ", _SHARING[verb]))
    said.append(sentence("this includes ", covered(never, name)))
    return said


def covered(never: Never, name: str) -> Phrase:
    """The narrower things that a prohibition covers, as a list."""
    return listed(Value(f"never.{name}.covers.{number}", item) for number, item in enumerate(never.covers))


def about_payment(nevers: Mapping[str, Never]) -> list[str]:
    """The names of the prohibitions that are about payment data."""
    return [
        name
        for name, never in nevers.items()
        if never.data_category.split(".")[:2] in (["user", "payment"], ["user", "financial"])
    ]
