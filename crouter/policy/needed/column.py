"""What the library needs of a column and of a table, and what several tables have alike."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NeededColumn:
    """One column that a statement of the library names."""

    type: str
    why: str
    """What it is for, as the line to add says it."""
    written_always: bool = True
    """Whether every row is written with it; otherwise it has to be optional."""
    key: bool = False
    unique: bool = False
    """Whether the library's values never repeat, so that the column may be unique."""
    to: str | None = None
    changes: bool = False
    """Whether the library changes it while the row lives."""
    values: tuple[str, ...] = ()
    """What the library writes into a `one_of`; the policy may allow more."""
    purposes: tuple[str, ...] = ()
    """What the library reads it for, where the policy declares it as data about a person."""
    told: bool = False
    """Whether it is what a sign-in tells, and so one of the `fields` of a source of kind identity."""
    standard: Mapping[str, str] | None = None
    """For data about a person: its keys in other vocabularies, as the line to add has them."""


@dataclass(frozen=True, slots=True)
class NeededTable:
    """One data category that the library works on."""

    label: str
    when: str
    columns: Mapping[str, NeededColumn]
    owner: str | None = None
    subject: str = "customer"
    may_be_missing: bool = False
    """Whether the library does without the whole category."""
    may_hold_more: bool = True
    """Whether the category may have columns that the library does not know."""
    measured: bool = False
    """Whether its rows are filled from what a request is measured by, and from whom it came."""


KEY = NeededColumn("uuid", "names the row", key=True, unique=True)
ACCOUNT = NeededColumn("reference", "joins the row to its account", to="account")
AMOUNT = NeededColumn(
    "nanousd",
    "amount",
    purposes=("billing",),
    standard={"data_category": "user.payment", "dpv": "Transaction"},
)

ACCESS = {"data_category": "user.account", "dpv": "ServiceConsumptionBehaviour"}
TELEMETRY = {"data_category": "user.telemetry", "dpv": "ServiceConsumptionBehaviour"}
