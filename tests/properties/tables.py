"""The data of random policies: the tables that the library works on, more columns in them, and tables of their own."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from crouter.policy.measures import IDENTITY_FIELDS, MEASURES
from crouter.policy.needs import NEEDED_TABLES, NeededColumn

Tree = dict[str, Any]
Word = Callable[[], str]

NEEDED_PURPOSES = tuple(
    dict.fromkeys(
        purpose for table in NEEDED_TABLES.values() for column in table.columns.values() for purpose in column.purposes
    )
)
"""What the library itself reads personal data for."""

CATEGORIES = ("user.contact.email", "user.name", "user.telemetry", "user.payment")
FILLED = {"account": IDENTITY_FIELDS, "usage": MEASURES}
"""What may be declared beside the needed columns because something fills it."""


def tables(draw: st.DrawFn, word: Word, purposes: list[str], kept: list[str]) -> Tree:
    """The library's tables, and one for each name of `kept`."""
    drawn = {name for name, table in NEEDED_TABLES.items() if not table.may_be_missing or draw(st.booleans())}
    names = [name for name in NEEDED_TABLES if name in _with_what_they_name(drawn)]
    data = {name: _needed(draw, word, purposes, name) for name in names}
    return data | {name: _kept(draw, word, purposes) for name in kept}


def _with_what_they_name(drawn: set[str]) -> set[str]:
    """Those of them of which everything is there that they refer to."""
    while True:
        whole = {
            name
            for name in drawn
            if {column.to for column in NEEDED_TABLES[name].columns.values() if column.to is not None} <= drawn
        }
        if whole == drawn:
            return whole
        drawn = whole


def purposes_of(draw: st.DrawFn, data: Tree, receives: list[str]) -> list[str]:
    """A purpose that each of the received tables and fields has."""
    found = set()
    for received in receives:
        table, _, column = received.partition(".")
        fields = data[table]["fields"]
        having = {purpose for name in fields if column in ("", name) for purpose in fields[name]["purposes"]}
        found.add(draw(st.sampled_from(sorted(having))))
    return sorted(found)


def _needed(draw: st.DrawFn, word: Word, purposes: list[str], name: str) -> Tree:
    """A table of the library: its columns, the ones that make rules work, and a few that may be there."""
    table = NEEDED_TABLES[name]
    told = {column: needed for column, needed in table.columns.items() if needed.standard is not None}
    fields = {column: _needed_field(draw, word, purposes, needed) for column, needed in told.items()}
    technical = {column: _technical(needed) for column, needed in table.columns.items() if column not in told}
    technical.setdefault("id", {"type": "uuid", "key": True, "why": word()})
    source = "sign_in" if name == "account" else "request" if table.measured else "own"
    if name == "account":
        technical |= {mark: _optional(word, "timestamp") for mark in ("deletion_requested_at", "erased_at")}
    if name == "usage":
        # A partitioned table has no row without a time.
        fields["occurred_at"] = {**_field(draw, word, purposes, "timestamp"), "required": True}
        technical["account_id"] = {"type": "reference", "to": "account", "why": word()}
    filled = FILLED.get(name, {})
    free = sorted(set(filled) - set(fields))
    more = draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free else []
    fields |= {column: _field(draw, word, purposes, filled[column]) for column in more}
    if table.may_hold_more and draw(st.booleans()):
        technical["note"] = _optional(word, draw(st.sampled_from(["text", "count", "timestamp"])))
    parts = {"fields": fields, "technical": technical}
    about = {"subject": table.subject, **({"owner": table.owner} if table.owner else {}), "source": source}
    return {"label": word(), "when": word(), **about, **{part: columns for part, columns in parts.items() if columns}}


def _needed_field(draw: st.DrawFn, word: Word, purposes: list[str], needed: NeededColumn) -> Tree:
    made = {**_field(draw, word, purposes, needed.type), **(needed.standard or {})}
    if needed.changes:
        made["changes"] = True
    return {**made, "purposes": list(dict.fromkeys([*needed.purposes, *made["purposes"]]))}


def _technical(needed: NeededColumn) -> Tree:
    settings: Tree = {
        "key": needed.key,
        "unique": needed.unique and not needed.key,
        "optional": not needed.written_always,
        "changes": needed.changes,
        "to": needed.to,
        "values": list(needed.values),
    }
    return {"type": needed.type, "why": needed.why, **{key: value for key, value in settings.items() if value}}


def _optional(word: Word, kind: str) -> Tree:
    return {"type": kind, "optional": True, "why": word()}


def _field(draw: st.DrawFn, word: Word, purposes: list[str], kind: str) -> Tree:
    """A field of that type for one or two of the purposes."""
    return {
        "label": word(),
        "type": kind,
        "purposes": draw(st.lists(st.sampled_from(purposes), min_size=1, max_size=2, unique=True)),
        "data_category": draw(st.sampled_from(CATEGORIES)),
        "dpv": "EmailAddress",
    }


def _kept(draw: st.DrawFn, word: Word, purposes: list[str]) -> Tree:
    kinds = draw(st.lists(st.sampled_from(["text", "email", "count", "timestamp"]), min_size=1, max_size=4))
    return {
        "label": word(),
        "when": word(),
        "subject": "customer",
        "owner": "account",
        "source": "own",
        "fields": {f"field_{n}": _field(draw, word, purposes, kind) for n, kind in enumerate(kinds)},
        "technical": {
            "id": {"type": "uuid", "key": True, "why": word()},
            "account_id": {"type": "reference", "to": "account", "why": word()},
            "kind": {"type": "one_of", "values": ["one", "other"], "why": word()},
        },
    }
