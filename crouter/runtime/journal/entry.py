"""One record of the journal: who used how much of what, and what it costs. Nothing of the content is in it.

Its text is a JSON object of the form in which the database takes it, so that shipping reads none of it. The form has a
version. A process adopts only what it can read; a newer form waits for a process that knows it. The form before, in
MessagePack and with measures in a map of their own, is still read.
"""

import uuid
from datetime import datetime
from typing import Final

import msgspec

FORM: Final = 2
_EARLIER_FORM: Final = 1
_JSON_BEGINS: Final = b"{"


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One ended attempt. Behind `form` come measures of the contract, by name; what was not reported is left out.

    `id` names the usage row and the charge alike, so that shipping twice changes nothing.
    """

    id: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    occurred_at: datetime
    model: str
    outcome: str
    cost_nanousd: int
    price_version: str
    policy_digest: str
    form: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_read_tokens: int | None = None
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None
    further_counts: dict[str, int] | None = None
    priced_counts: dict[str, int] | None = None
    service_tier: str | None = None


class UnreadableEntryError(ValueError):
    """A body that is no entry of a form that this version knows; says nothing of what it holds."""


class _EarlierMeasures(msgspec.Struct, frozen=True, gc=False):
    """Measures of the form before: maps of counts are texts."""

    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_read_tokens: int | None = None
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None
    further_counts: str | None = None
    priced_counts: str | None = None
    service_tier: str | None = None


class _EarlierEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of the form before."""

    id: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    occurred_at: datetime
    measures: _EarlierMeasures
    outcome: str
    cost_nanousd: int
    price_version: str
    policy_digest: str
    form: int = 0


entry_bytes = msgspec.json.Encoder().encode
"""The text of an entry."""

_decode = msgspec.json.Decoder(Entry).decode
_decode_earlier = msgspec.msgpack.Decoder(_EarlierEntry).decode
_decode_counts = msgspec.json.Decoder(dict[str, int]).decode


def read_entry(body: bytes) -> Entry:
    """The entry of a body. Raises UnreadableEntryError."""
    try:
        entry = _decode(body) if body.startswith(_JSON_BEGINS) else _of_today(_decode_earlier(body))
    except msgspec.MsgspecError:
        raise UnreadableEntryError("no entry of this version") from None
    if entry.form != FORM:
        raise UnreadableEntryError("an entry of another form")
    return entry


def _of_today(earlier: _EarlierEntry) -> Entry:
    """The same entry in the form of today. Raises UnreadableEntryError, msgspec.MsgspecError."""
    if earlier.form != _EARLIER_FORM:
        raise UnreadableEntryError("an entry of another form")
    measures = earlier.measures
    return Entry(
        id=earlier.id,
        account=earlier.account,
        api_key=earlier.api_key,
        occurred_at=earlier.occurred_at,
        model=measures.model,
        outcome=earlier.outcome,
        cost_nanousd=earlier.cost_nanousd,
        price_version=earlier.price_version,
        policy_digest=earlier.policy_digest,
        form=FORM,
        input_tokens=measures.input_tokens,
        output_tokens=measures.output_tokens,
        cache_write_5m_tokens=measures.cache_write_5m_tokens,
        cache_write_1h_tokens=measures.cache_write_1h_tokens,
        cache_read_tokens=measures.cache_read_tokens,
        web_search_requests=measures.web_search_requests,
        web_fetch_requests=measures.web_fetch_requests,
        further_counts=_counts(measures.further_counts),
        priced_counts=_counts(measures.priced_counts),
        service_tier=measures.service_tier,
    )


def _counts(text: str | None) -> dict[str, int] | None:
    return None if text is None else _decode_counts(text)
