"""Compares the three journals. Its rules are the invariants of the design; a difference names a rule and numbers only.

Nothing is forgiven but one thing: of an attempt whose end no client saw, the record may be missing when the service was
killed meanwhile, because nobody else knew of it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.torture.journals import ATTEMPTS_MAX, Counts, Entry, Journals, Row, Saw, Sent
from tests.torture.reported import Report, cost, reports

CHARGE: Final = "charge"
OWN_EVENT: Final = b"\n\nevent: error\ndata: "


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One broken rule. `serial` is the request's, -1 where the rule is about an account or a stray row."""

    rule: str
    serial: int = -1
    attempt: int = 0
    detail: str = ""

    def __str__(self) -> str:
        place = f" request {self.serial} attempt {self.attempt}" if self.serial >= 0 else ""
        return f"{self.rule}{place}{': ' if self.detail else ''}{self.detail}"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt with what the others hold of it."""

    sent: Sent
    reports: tuple[Report, ...]
    saw: Saw | None
    rows: tuple[Row, ...]

    def differs(self, rule: str, detail: str = "") -> Difference:
        return Difference(rule, self.sent.serial, self.sent.attempt, detail)

    @property
    def last(self) -> Counts | None:
        return self.reports[-1].counts if self.reports else None

    @property
    def seen(self) -> tuple[Report, ...]:
        """The reports that the client has: the service must have read them."""
        if self.saw is None or self.saw.is_ours or self.sent.coding:
            return ()
        return tuple(report for report in self.reports if report.end <= len(self.saw.body))

    @property
    def end_was_seen(self) -> bool:
        """Whether the client has the answer's end: of HTTP, or the last word of a stream."""
        if self.saw is None or self.saw.is_ours:
            return False
        body = bytes(self.saw.body)
        if OWN_EVENT in body:
            return False
        if self.saw.whole:
            return True
        return any(report.stopped for report in self.seen) and self.sent.media_type == "text/event-stream"

    @property
    def certainly_read(self) -> bool:
        """Whether the service must have read all: it was sent whole and nobody ended anything early."""
        stayed = self.saw is not None and not self.saw.left
        return self.sent.whole and not self.sent.closed_by_peer and stayed and not self.sent.service_killed


class Comparison:
    """All rules over one scenario's journals. `model` is the one that all its requests name."""

    def __init__(self, journals: Journals, model: str) -> None:
        self._journals = journals
        self._model = model
        rows = defaultdict(list)
        for row in journals.held.rows:
            rows[row.counts.cache_read_tokens].append(row)
        saw = {saw.serial: saw for saw in journals.saw}
        last = {sent.serial: sent.attempt for sent in journals.sent}
        for sent in journals.sent:
            last[sent.serial] = max(last[sent.serial], sent.attempt)
        self._attempts = tuple(
            _Attempt(
                sent,
                tuple(report for report in reports(sent) if report.counts != Counts()),
                # Only the last attempt's answer can have reached the client.
                saw.get(sent.serial) if sent.attempt == last[sent.serial] else None,
                tuple(rows[sent.identity]),
            )
            for sent in journals.sent
        )
        self._charges: dict[object, list[Entry]] = defaultdict(list)
        for entry in journals.held.entries:
            if entry.kind == CHARGE:
                self._charges[entry.id].append(entry)

    def differences(self) -> tuple[Difference, ...]:
        """Every broken rule, sorted."""
        of_attempts: tuple[Callable[[_Attempt], Iterator[Difference]], ...] = (
            self._one_row,
            self._counts,
            self._account,
            self._prefix,
            self._cancelled,
        )
        found = [difference for attempt in self._attempts for rule in of_attempts for difference in rule(attempt)]
        found += [*self._strays(), *self._money(), *self._unasked_answers(), *self._own_answers()]
        return tuple(sorted(set(found)))

    def _one_row(self, attempt: _Attempt) -> Iterator[Difference]:
        if len(attempt.rows) > 1:
            yield attempt.differs("one attempt has one row", f"{len(attempt.rows)} rows")
        if attempt.rows:
            return
        if attempt.end_was_seen and attempt.reports:
            yield attempt.differs("an end that was seen has its record")
        elif not attempt.sent.service_killed and (attempt.seen or (attempt.certainly_read and attempt.reports)):
            yield attempt.differs("what was reported is recorded")

    def _counts(self, attempt: _Attempt) -> Iterator[Difference]:
        allowed = [report.counts for report in attempt.reports]
        if attempt.certainly_read or (attempt.end_was_seen and attempt.sent.whole):
            allowed = allowed[-1:]
        elif attempt.seen:
            allowed = allowed[len(attempt.seen) - 1 :]
        for row in attempt.rows:
            if row.counts not in allowed:
                yield attempt.differs("counts are the last that were reported")

    def _account(self, attempt: _Attempt) -> Iterator[Difference]:
        owner = next((saw.account for saw in self._journals.saw if saw.serial == attempt.sent.serial), None)
        for row in attempt.rows:
            if owner is not None and row.account != owner:
                yield attempt.differs("an attempt is charged to the account of its key")

    def _prefix(self, attempt: _Attempt) -> Iterator[Difference]:
        saw, sent = attempt.saw, bytes(attempt.sent.body)
        if saw is None or saw.is_ours or not saw.status:
            return
        if saw.status != attempt.sent.status:
            yield attempt.differs("the upstream's status is the client's", f"{attempt.sent.status} became {saw.status}")
        body, own, tail = bytes(saw.body).partition(OWN_EVENT)
        if own and not _is_error(tail):
            yield attempt.differs("an event of ours is an error in Anthropic's shape")
        if not sent.startswith(body):
            yield attempt.differs("the client has the upstream's bytes", f"{len(body)} bytes of {len(sent)}")
        elif saw.whole and not own and body != sent:
            yield attempt.differs("nothing is made to look whole", f"{len(body)} bytes of {len(sent)}")
        elif saw.whole and not own and not attempt.sent.whole and not any(report.stopped for report in attempt.reports):
            yield attempt.differs("nothing is made to look whole", "the upstream's answer had no end")

    def _cancelled(self, attempt: _Attempt) -> Iterator[Difference]:
        saw = attempt.saw
        if saw is not None and saw.left and attempt.sent.open:
            yield attempt.differs("a client that leaves cancels the upstream")

    def _strays(self) -> Iterator[Difference]:
        known = {attempt.sent.identity for attempt in self._attempts}
        for row in self._journals.held.rows:
            if row.counts.cache_read_tokens not in known:
                serial = (row.counts.cache_read_tokens or 0) // ATTEMPTS_MAX
                yield Difference("no row without an attempt", serial)

    def _money(self) -> Iterator[Difference]:
        held = self._journals.held
        rows = {row.id: row for row in held.rows}
        most = {attempt.sent.identity: attempt for attempt in self._attempts}
        for row in held.rows:
            charged = [-entry.amount for entry in self._charges[row.id]]
            serial = (row.counts.cache_read_tokens or 0) // ATTEMPTS_MAX
            if len(charged) != 1:
                yield Difference("one row has one charge", serial, detail=f"{len(charged)} charges")
                continue
            attempt = most.get(row.counts.cache_read_tokens or 0)
            reported = [cost(report.counts, self._model) for report in attempt.reports] if attempt else []
            if charged[0] > max(reported, default=0):
                yield Difference("never billed above what was reported", serial)
            if charged[0] != cost(row.counts, self._model):
                yield Difference("the charge is the price of the row", serial)
        for id_ in self._charges.keys() - rows.keys():
            yield Difference("no charge without a row", detail=f"{len(self._charges[id_])} charges")
        sums = held.sums()
        for account, credited in self._journals.credited.items():
            charges = sum(entry.amount for entry in held.entries if entry.kind == CHARGE and entry.account == account)
            if sums[account] != credited + charges:
                yield Difference("the ledger adds up to credit less charges")
            if account in held.balances and held.balances[account] != sums[account]:
                yield Difference("the balance is the sum of the ledger")
        if held.reserved and not any(attempt.sent.open for attempt in self._attempts):
            yield Difference("nothing is reserved when nothing runs", detail=f"{held.reserved} nanodollars")

    def _unasked_answers(self) -> Iterator[Difference]:
        """Every answer of the upstream names the request that it is for."""
        asked = {attempt.sent.serial for attempt in self._attempts}
        for saw in self._journals.saw:
            named = saw.header("x-upstream-serial")
            if named is not None and int(named) != saw.serial:
                yield Difference("an answer reaches the one who asked", saw.serial)
            if saw.status and not saw.is_ours and saw.serial not in asked:
                yield Difference("an answer that is not ours was the upstream's", saw.serial)

    def _own_answers(self) -> Iterator[Difference]:
        for saw in self._journals.saw:
            if saw.is_ours and saw.whole and not _is_error(bytes(saw.body)):
                yield Difference("an answer of ours is an error in Anthropic's shape", saw.serial)


def _is_error(body: bytes) -> bool:
    try:
        told = json.loads(body)
    except ValueError:
        return False
    named = isinstance(told, dict) and told.get("type") == "error" and isinstance(told.get("request_id"), str)
    return named and isinstance(told.get("error"), dict) and {"type", "message"} <= told["error"].keys()
