"""What holds data beside the declared tables: files that the library writes, and tables that are its own.

A table of policy.yaml needs no line here. A module that writes a file, or makes a table, and is not named here breaks
the build (tests/architecture/test_holders.py).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "table", "memory"]


@dataclass(frozen=True, slots=True)
class Holder:
    """One of them. `of` are the records whose rows it holds for a while, none where it says nothing about anybody.

    `ends` says when what it holds is gone, `erased` what a deletion does to it, `copied` why a copy does without it.
    """

    name: str
    kind: Kind
    written_by: tuple[str, ...]
    holds: str
    of: tuple[str, ...]
    ends: str
    erased: str
    copied: str


HOLDERS = (
    Holder(
        name="journal",
        kind="file",
        written_by=("crouter.runtime.journal.disk", "crouter.runtime.journal.folder"),
        holds="usage records and their charges, on their way to the database",
        of=("usage", "ledger"),
        ends="within seconds: a record goes once the database has it",
        erased="what arrives for an erased account is counted and dropped, never written",
        copied="it is in the tables as soon as the database has it",
    ),
    Holder(
        name="tombstones",
        kind="file",
        written_by=("crouter.runtime.erasure.tombstones",),
        holds="a keyed hash for each deletion, and when it was asked for",
        of=(),
        ends="never: a backup may be restored at any time",
        erased="it is what remembers a deletion, and names nobody",
        copied="without its key and the id it tells nothing",
    ),
    Holder(
        name="counts of processes",
        kind="file",
        written_by=("crouter.runtime.supervision.counts",),
        holds="declared counters of each process, without a person",
        of=(),
        ends="with the service",
        erased="nothing in it is about a person",
        copied="nothing in it is about a person",
    ),
    Holder(
        name="shared limits",
        kind="file",
        written_by=("crouter.runtime.supervision.shared_limits",),
        holds="how many requests a key, by a hash of its id, has sent in the last day",
        of=(),
        ends="a day after the last request, and with the service",
        erased="keys end with the account, and their counts a day later",
        copied="the usage data tells the same, exactly",
    ),
    Holder(
        name="columns of processes",
        kind="file",
        written_by=("crouter.runtime.supervision.columns",),
        holds="nothing: empty files, whose locks say which processes are alive",
        of=(),
        ends="with the service",
        erased="nothing in it is about a person",
        copied="nothing in it is about a person",
    ),
    Holder(
        name="trial of the journal's folder",
        kind="file",
        written_by=("crouter.runtime.doctor.disk",),
        holds="nothing: an empty file, made to see whether one can be",
        of=(),
        ends="at once",
        erased="nothing in it is about a person",
        copied="nothing in it is about a person",
    ),
    Holder(
        name="record of migrations",
        kind="table",
        written_by=("crouter.runtime.database.migration_record",),
        holds="which migrations were applied",
        of=(),
        ends="never",
        erased="nothing in it is about a person",
        copied="nothing in it is about a person",
    ),
    Holder(
        name="queue of jobs",
        kind="table",
        written_by=("crouter.runtime.retention.queue",),
        holds="names of retention rules and when they are due",
        of=(),
        ends="each entry when its job has run",
        erased="nothing in it is about a person",
        copied="nothing in it is about a person",
    ),
    Holder(
        name="mail of development",
        kind="file",
        written_by=("crouter.runtime.mail.folder",),
        holds="mails that a development run would have sent",
        of=("outbox",),
        ends="with the folder .crouter: there is none in production",
        erased="nothing: who runs it is the only person in it",
        copied="there is none in production",
    ),
)
