"""What is kept, why, where it comes from, and what never is: `purposes`, `sources`, `data`, `never`."""

from typing import Literal

from pydantic import Field as Setting

from crouter.policy.parts.base import Part
from crouter.policy.types import DataCategoryKey, DataUseKey, DpvTerm, Identifier, Text

LegalBasis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
]
"""The six legal bases of GDPR Article 6(1), in its order (a) to (f)."""

FieldType = Literal["text", "email", "count", "counts", "words", "nanousd", "timestamp", "date", "sealed"]
"""What a person's field may hold. `counts` are a few counts by name, `words` a few words by name, `nanousd` is money,
`date` a day, `sealed` encrypted."""

TechnicalType = Literal[
    "uuid", "reference", "text", "count", "counts", "nanousd", "timestamp", "date", "keyed_hash", "sealed", "one_of"
]

Verb = Literal["collect", "store", "log", "retain", "track", "share", "sell", "rent", "share_for_marketing"]


class Purpose(Part):
    """Why data is used."""

    label: Text
    """The words of the policy, as in "for billing"."""
    basis: LegalBasis
    """The legal basis, GDPR Article 6(1)."""
    data_use: DataUseKey
    """The matching key of fideslang's data uses."""
    dpv: DpvTerm
    """The matching W3C DPV purpose."""


class Source(Part):
    """Where data comes from."""

    label: Text
    """The words of the policy, as in "which come from Google sign-in"."""
    kind: Literal["identity", "measurement", "service"]
    """Who fills the field: an identity at sign-in, a measurement of a request, or the service itself."""


class DataField(Part):
    """One thing that a person would recognise as data about them; one column."""

    label: Text
    """The words of the policy. Fields with the same label are named once in a sentence."""
    type: FieldType
    """What the column holds. `counts` are up to 32 counts by name, `words` a few words by name (no spaces, so no text),
    `nanousd` is money in 1e-9 US dollars, `date` a day without a time, `sealed` an encrypted value."""
    purposes: tuple[Identifier, ...] = Setting(min_length=1)
    """Reading the field needs one of these purposes."""
    data_category: DataCategoryKey
    """The matching key of fideslang's data categories."""
    dpv: DpvTerm
    """The matching W3C DPV personal data term."""
    source: Identifier | None = None
    """Where it comes from, when that differs from the category's source."""
    required: bool = False
    """Whether a row without it is refused."""
    changes: bool = False
    """Whether the service may change it while the row lives. A person's account and its keys change without it."""


class TechnicalField(Part):
    """A column that joins, seals or orders rows, and tells nothing new about a person."""

    type: TechnicalType
    """What the column holds. `reference` points to another category, `one_of` holds one of `values`."""
    why: Text
    """What the column is for, as the schema's comment says it."""
    key: bool = False
    """Whether this is the primary key. Each category has exactly one."""
    unique: bool = False
    """Whether no two rows may hold the same value."""
    optional: bool = False
    """Whether a row may be without it."""
    changes: bool = False
    """Whether the service may change it while the row lives; other columns are written once."""
    to: Identifier | None = None
    """For a `reference`: the data category it points to."""
    values: tuple[Identifier, ...] | None = None
    """For `one_of`: the values it may hold."""


class Fold(Part):
    """Entries that end by being summed into one, so that a total outlives its parts."""

    kind: Identifier
    """The kind of entry that is folded."""
    into: Identifier
    """The kind of the one entry that carries the sum."""
    sum: Identifier
    """The column that is summed."""
    along_with: Identifier
    """The retention rule at whose age entries are folded."""


class DataCategory(Part):
    """A category of data: one table, and nothing that is not declared here can be a column of it."""

    label: Text
    """The words of the policy, as in "usage data"."""
    when: Text
    """Completes "when …": the moment at which the data comes to be."""
    subject: Literal["customer", "none"]
    """Whom the data is about; `none` for evidence that names nobody."""
    source: Identifier
    """Where the fields come from, unless a field says otherwise."""
    owner: Identifier | None = None
    """The category whose row owns these rows; the table has a `<owner>_id` reference to it."""
    fields: dict[Identifier, DataField] = Setting(default_factory=dict)
    """What a person would recognise as data about them: one column each."""
    technical: dict[Identifier, TechnicalField] = Setting(min_length=1)
    """The columns that join, seal or order rows: no other column can exist."""
    fold: Fold | None = None
    """For entries that are summed into one when they end."""


class Never(Part):
    """What is never done, whatever happens."""

    label: Text
    """The words of the policy for what is meant."""
    covers: tuple[Text, ...] = Setting(min_length=1)
    """The narrower things that the promise covers."""
    not_: tuple[Verb, ...] = Setting(alias="not", min_length=1)
    """The forbidden verbs."""
    passes_through_to: Identifier | None = None
    """The one processor that it reaches without being kept."""
    derivable_from: tuple[Text, ...] = ()
    """What it could be derived from; these are neither stored nor logged either."""
    data_category: DataCategoryKey
    """The matching key of fideslang's data categories."""
