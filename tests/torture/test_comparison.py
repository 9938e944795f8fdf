"""The comparison finds planted violations, and nothing where there is none."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.torture.answers import MODEL, message, stream
from tests.torture.comparison import OWN_EVENT, Comparison
from tests.torture.journals import Counts, Entry, Held, Journals, Row, Saw, Sent, identity_of
from tests.torture.reported import cost

ACCOUNT, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
CREDIT = 10**12
ERROR = json.dumps({"type": "error", "error": {"type": "api_error", "message": "x"}, "request_id": "req_1"}).encode()
UPSTREAM_HEADERS = (("x-crouter-request-id", "req_crouter"), ("request-id", "req_upstream"))


def sound(serials: int = 3) -> Journals:
    """Journals of streams that went well."""
    journals = Journals(credited={ACCOUNT: CREDIT, OTHER: 0})
    rows, entries = [], [Entry(uuid.UUID(int=99), ACCOUNT, "grant", CREDIT)]
    for serial in range(serials):
        identity = identity_of(serial, 0)
        body = bytearray(b"".join(stream(identity)))
        headers = (*UPSTREAM_HEADERS, ("x-upstream-serial", str(serial)))
        journals.saw.append(Saw(serial, ACCOUNT, 200, headers, bytearray(body), whole=True))
        journals.sent.append(Sent(serial, 0, 200, "text/event-stream", body=body, whole=True, open=False))
        row = Row(uuid.UUID(int=1000 + serial), ACCOUNT, Counts(11, 10, cache_read_tokens=identity))
        rows.append(row)
        entries.append(Entry(row.id, ACCOUNT, "charge", -cost(row.counts, MODEL)))
    journals.held = Held(tuple(rows), tuple(entries), {ACCOUNT: sum(entry.amount for entry in entries)})
    return journals


def rules(journals: Journals) -> set[str]:
    return {difference.rule for difference in Comparison(journals, MODEL).differences()}


def drop_row(journals: Journals) -> None:
    journals.held = replace(journals.held, rows=journals.held.rows[1:])


def add_row(journals: Journals) -> None:
    extra = replace(journals.held.rows[0], id=uuid.uuid4())
    journals.held = replace(journals.held, rows=(*journals.held.rows, extra))


def add_stray_row(journals: Journals) -> None:
    stray = Row(uuid.uuid4(), ACCOUNT, Counts(1, 1, cache_read_tokens=identity_of(77, 0)))
    journals.held = replace(journals.held, rows=(*journals.held.rows, stray))


def double_charge(journals: Journals) -> None:
    entries = journals.held.entries
    journals.held = replace(journals.held, entries=(*entries, entries[-1]))


def overcharge(journals: Journals) -> None:
    *others, last = journals.held.entries
    journals.held = replace(journals.held, entries=(*others, replace(last, amount=last.amount * 2)))


def charge_nothing(journals: Journals) -> None:
    *others, last = journals.held.entries
    journals.held = replace(journals.held, entries=(*others, replace(last, amount=0)))


def charge_without_row(journals: Journals) -> None:
    extra = Entry(uuid.uuid4(), ACCOUNT, "charge", -1)
    journals.held = replace(journals.held, entries=(*journals.held.entries, extra))


def alter_counts(journals: Journals) -> None:
    first, *others = journals.held.rows
    altered = replace(first, counts=replace(first.counts, output_tokens=11))
    journals.held = replace(journals.held, rows=(altered, *others))


def charge_another_account(journals: Journals) -> None:
    first, *others = journals.held.rows
    journals.held = replace(journals.held, rows=(replace(first, account=OTHER), *others))


def lose_money(journals: Journals) -> None:
    journals.credited[ACCOUNT] += 1


def misstate_balance(journals: Journals) -> None:
    journals.held = replace(journals.held, balances={ACCOUNT: 1})


def leave_a_reservation(journals: Journals) -> None:
    journals.held = replace(journals.held, reserved=5)


def fake_end(journals: Journals) -> None:
    """The upstream broke off in the middle, and the client was given an end."""
    cut = len(journals.sent[0].body) // 2
    journals.sent[0].whole = False
    del journals.sent[0].body[cut:]
    del journals.saw[0].body[cut:]


def shorten(journals: Journals) -> None:
    del journals.saw[0].body[-5:]


def change_a_byte(journals: Journals) -> None:
    journals.saw[0].body[40] ^= 1


def change_status(journals: Journals) -> None:
    journals.saw[0].status = 500


def swap_answers(journals: Journals) -> None:
    first, second = journals.saw[:2]
    first.headers, second.headers = second.headers, first.headers


def invent_an_answer(journals: Journals) -> None:
    journals.saw.append(Saw(500, ACCOUNT, 200, UPSTREAM_HEADERS, bytearray(b"x"), whole=True))


def break_our_event(journals: Journals) -> None:
    journals.saw[0].body += OWN_EVENT + b'{"type":"error"}\n\n'


def break_our_answer(journals: Journals) -> None:
    ours = (("x-crouter-request-id", "req_1"), ("request-id", "req_1"))
    journals.saw.append(Saw(501, ACCOUNT, 503, ours, bytearray(b"Service Unavailable"), whole=True))


def go_on_without_the_client(journals: Journals) -> None:
    journals.saw[0].left = True
    journals.sent[0].open = True


PLANTED: dict[str, tuple[Callable[[Journals], None], str]] = {
    "a dropped row": (drop_row, "an end that was seen has its record"),
    "an extra row": (add_row, "one attempt has one row"),
    "a row of no attempt": (add_stray_row, "no row without an attempt"),
    "a doubled charge": (double_charge, "one row has one charge"),
    "a charge too high": (overcharge, "never billed above what was reported"),
    "a charge too low": (charge_nothing, "the charge is the price of the row"),
    "a charge for nothing": (charge_without_row, "no charge without a row"),
    "altered counts": (alter_counts, "counts are the last that were reported"),
    "another account's row": (charge_another_account, "an attempt is charged to the account of its key"),
    "lost money": (lose_money, "the ledger adds up to credit less charges"),
    "a wrong balance": (misstate_balance, "the balance is the sum of the ledger"),
    "a leaked reservation": (leave_a_reservation, "nothing is reserved when nothing runs"),
    "a fake end": (fake_end, "nothing is made to look whole"),
    "a lost end": (shorten, "nothing is made to look whole"),
    "a changed byte": (change_a_byte, "the client has the upstream's bytes"),
    "a changed status": (change_status, "the upstream's status is the client's"),
    "swapped answers": (swap_answers, "an answer reaches the one who asked"),
    "an invented answer": (invent_an_answer, "an answer that is not ours was the upstream's"),
    "a broken event of ours": (break_our_event, "an event of ours is an error in Anthropic's shape"),
    "a broken answer of ours": (break_our_answer, "an answer of ours is an error in Anthropic's shape"),
    "an upstream that goes on": (go_on_without_the_client, "a client that leaves cancels the upstream"),
}


def test_sound_journals_differ_in_nothing() -> None:
    assert rules(sound()) == set()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(name: str) -> None:
    plant, rule = PLANTED[name]
    journals = sound()
    plant(journals)
    assert rule in rules(journals)


def test_a_kill_excuses_a_missing_row_only_where_no_client_saw_the_end() -> None:
    journals = sound(1)
    journals.held = Held(entries=journals.held.entries[:1])
    journals.sent[0].service_killed = True
    assert rules(journals) == {"an end that was seen has its record"}
    journals.saw[0].whole = False
    assert rules(journals) == {"an end that was seen has its record"}
    del journals.saw[0].body[-40:]
    assert rules(journals) == set()
    journals.sent[0].service_killed = False
    assert rules(journals) == {"what was reported is recorded"}


def test_a_client_that_left_pays_for_no_less_than_it_saw_and_no_more_than_was_sent() -> None:
    journals = sound(1)
    journals.saw[0].left, journals.saw[0].whole = True, False
    del journals.saw[0].body[300:]
    first = journals.held.rows[0]
    for output, is_sound in ((0, False), (1, True), (10, True), (11, False)):
        row = replace(first, counts=replace(first.counts, output_tokens=output))
        charge = Entry(row.id, ACCOUNT, "charge", -cost(row.counts, MODEL))
        journals.held = Held((row,), (journals.held.entries[0], charge))
        assert (rules(journals) == set()) == is_sound


def test_an_error_of_ours_after_half_a_stream_is_allowed() -> None:
    journals = sound(1)
    del journals.saw[0].body[300:]
    journals.saw[0].body += OWN_EVENT + ERROR + b"\n\n"
    assert rules(journals) == set()


def test_an_answer_of_ours_does_not_excuse_a_lost_record() -> None:
    """The upstream was paid for: the record must come, though the client was told of an error."""
    journals = sound(1)
    ours = (("x-crouter-request-id", "req_1"), ("request-id", "req_1"))
    journals.saw[0] = Saw(0, ACCOUNT, 503, ours, bytearray(ERROR), whole=True)
    assert rules(journals) == set()
    drop_row(journals)
    assert "what was reported is recorded" in rules(journals)


def test_a_message_is_compared_as_a_stream_is() -> None:
    journals = sound(1)
    body = message(0)
    journals.sent[0] = Sent(0, 0, 200, "application/json", body=bytearray(body), whole=True, open=False)
    journals.saw[0].body = bytearray(body)
    assert rules(journals) == {"counts are the last that were reported", "never billed above what was reported"}
