"""Records of the journal: what an earlier version wrote is read as it was meant, and nothing else is guessed at."""

import uuid
from datetime import UTC, datetime

import msgspec
import pytest

from crouter.runtime.journal.entry import FORM, Entry, UnreadableEntryError, entry_bytes, read_entry
from crouter.runtime.journal.noted import noted, read_noted

# As version 1 of the form wrote it.
EARLIER = (
    b"\x8a\xa2id\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
    b"\xa7account\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
    b"\xa7api_key\xc4\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03"
    b"\xaboccurred_at\xd7\xff\x00\x00N k\x04*\xc0"
    b'\xa8measures\x87\xacinput_tokens\x05\xadoutput_tokens\x00\xb1cache_read_tokens\x07\xaefurther_counts\xb2{"audio'
    b'_tokens":9}\xadpriced_counts\xb4{"input_tokens.4":5}\xa5model\xb0claude-haiku-4-5\xacservice_tier\xa8standard'
    b"\xa7outcome\xa8complete\xaccost_nanousd\x14\xadprice_version\xaa2026-11-23\xadpolicy_digest\xa1d\xa4form\x01"
)
ENTRY = Entry(
    id=uuid.UUID(int=1),
    account=uuid.UUID(int=2),
    api_key=uuid.UUID(int=3),
    occurred_at=datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC),
    model="claude-haiku-4-5",
    outcome="complete",
    cost_nanousd=20,
    price_version="2026-11-23",
    policy_digest="d",
    form=FORM,
    input_tokens=5,
    output_tokens=0,
    cache_read_tokens=7,
    further_counts={"audio_tokens": 9},
    priced_counts={"input_tokens.4": 5},
    service_tier="standard",
)


def test_what_an_earlier_version_wrote_is_the_same_entry() -> None:
    assert read_entry(EARLIER) == ENTRY
    assert read_noted(EARLIER).body == entry_bytes(ENTRY)


def test_the_text_of_an_entry_names_what_was_reported_and_nothing_else() -> None:
    told = msgspec.json.decode(entry_bytes(ENTRY))
    assert {name: told[name] for name in ("input_tokens", "output_tokens", "cache_read_tokens")} == {
        "input_tokens": 5,
        "output_tokens": 0,
        "cache_read_tokens": 7,
    }
    assert told.keys().isdisjoint({"cache_write_5m_tokens", "cache_write_1h_tokens", "web_fetch_requests"})


def test_an_entry_and_its_text_say_the_same() -> None:
    one, again = noted(ENTRY), read_noted(entry_bytes(ENTRY))
    for each in (one, again):
        said = (each.id, each.account, each.api_key, each.occurred_at, each.cost_nanousd, each.body)
        assert said == (
            ENTRY.id,
            ENTRY.account,
            ENTRY.api_key,
            ENTRY.occurred_at,
            ENTRY.cost_nanousd,
            entry_bytes(ENTRY),
        )


@pytest.mark.parametrize(
    "body",
    [
        EARLIER[:-1] + b"\x02",
        EARLIER[:-1] + b"\x00",
        EARLIER[:-1],
        EARLIER.replace(b'{"audio_tokens":9}', b'{"audio_tokens":x}'),
        entry_bytes(ENTRY)[:-1],
        entry_bytes(ENTRY).replace(b'"form":2', b'"form":1'),
        entry_bytes(ENTRY).replace(b'"input_tokens":5', b'"input_tokens":"5"'),
    ],
)
def test_a_body_of_no_known_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableEntryError):
        read_entry(body)
