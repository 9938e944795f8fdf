"""Data categories as records: the contract's words for tables and columns."""

from crouter.contract.data import Field, Purpose, Record
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataField, TechnicalField


def purposes_of(policy: Policy) -> tuple[Purpose, ...]:
    return tuple(
        Purpose(name=name, label=purpose.label, basis=purpose.basis) for name, purpose in policy.purposes.items()
    )


def records_of(policy: Policy) -> tuple[Record, ...]:
    return tuple(record_of(policy, name) for name in policy.data)


def record_of(policy: Policy, name: str) -> Record:
    """The record of data category `name`: what joins and orders its rows first, then what a person would recognise."""
    category = policy.data[name]
    technical = tuple(_technical(name, column, setting) for column, setting in category.technical.items())
    personal = tuple(_personal(policy, name, column, setting) for column, setting in category.fields.items())
    return Record(
        name=name,
        label=category.label,
        policy_path=f"data.{name}",
        key=next(column for column, setting in category.technical.items() if setting.key),
        fields=technical + personal,
        owner=category.owner,
    )


def _personal(policy: Policy, category: str, name: str, setting: DataField) -> Field:
    source = setting.source or policy.data[category].source
    return Field(
        name=name,
        kind=setting.type,
        label=setting.label,
        policy_path=f"data.{category}.{name}",
        personal=True,
        required=setting.required,
        purposes=setting.purposes,
        source=policy.sources[source].kind,
    )


def _technical(category: str, name: str, setting: TechnicalField) -> Field:
    return Field(
        name=name,
        kind=setting.type,
        label=setting.why,
        policy_path=f"data.{category}.{name}",
        required=not setting.optional,
        references=setting.to,
        values=setting.values or (),
    )
