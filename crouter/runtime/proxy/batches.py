"""Message batches by value: what a request for one asks for, and what goes back of the upstream's objects. Does no I/O.

Each entry is read as strictly as a message of its own. Refusals name an entry by its number and never by its
`custom_id`, which is the customer's. Whose a batch is: `crouter.runtime.batches`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from crouter.runtime.proxy.members import Members, Refusal, items_of, object_members, value_of
from crouter.runtime.proxy.request import Accepted, Refused, read_request

# https://platform.claude.com/docs/en/api/creating-message-batches
REQUESTS_MAX: Final = 100_000
BATCH_TIER: Final = "batch"
PATH: Final = "/v1/messages/batches"
"""Where batches are, with us as at the upstream."""
PAGE_MAX: Final = 100
_PAGE_USUAL: Final = 20
_LIMIT_MAX: Final = 1000
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a batch, with the bytes of its `params`. Its options are those of the batch tier."""

    custom_id: str
    accepted: Accepted
    params: bytes


@dataclass(frozen=True, slots=True)
class PageAsked:
    """What a request for a list asks for; at most one of the two ids is given."""

    limit: int
    after_id: str | None
    before_id: str | None


def read_entries(body: bytes) -> Sequence[msgspec.Raw] | Refused:
    """The entries of a body for `POST /v1/messages/batches`, each still to be read by `read_entry`."""
    try:
        members = object_members(body, "the request body")
        if "requests" not in members:
            raise Refusal("requests: Field required")
        entries = items_of(members, "requests", REQUESTS_MAX)
    except Refusal as refusal:
        return Refused(str(refusal))
    return entries or Refused("requests: must have at least one entry")


def read_entry(number: int, source: bytes) -> Entry | Refused:
    """One entry; `number` counts from zero, as paths in Anthropic's own messages do."""
    place = f"requests.{number}"
    try:
        members = object_members(source, place)
        custom_id = value_of(members, "custom_id")
        if not isinstance(custom_id, str):
            raise Refusal("custom_id: must be a string")
        if "params" not in members:
            raise Refusal("params: Field required")
    except Refusal as refusal:
        message = str(refusal)
        return Refused(message if message.startswith(place) else f"{place}.{message}")
    params = bytes(members["params"])
    accepted = read_request(params)
    if isinstance(accepted, Refused):
        return Refused(f"{place}.params: {accepted.message}")
    return Entry(custom_id, accepted.with_options(replace(accepted.options, service_tier=BATCH_TIER)), params)


def read_page_query(query: Sequence[tuple[str, str]]) -> PageAsked | Refused:
    """What the query of a list asks for. A page has at most PAGE_MAX entries, whatever `limit` allows more."""
    given: dict[str, str] = {}
    for name, value in query:
        if name in given:
            return Refused("the query gives a key twice")
        given[name] = value
    after, before, limit = given.get("after_id"), given.get("before_id"), given.get("limit", str(_PAGE_USUAL))
    if after is not None and before is not None:
        return Refused("after_id: cannot be given together with before_id")
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 4 and 1 <= int(limit) <= _LIMIT_MAX):
        return Refused(f"limit: must be a whole number from 1 to {_LIMIT_MAX}")
    return PageAsked(min(int(limit), PAGE_MAX), after, before)


def batch_id_in(answer: bytes) -> str | None:
    """The id of the batch that an answer describes, if it has the form of one."""
    try:
        found = value_of(object_members(answer, "the answer"), "id")
    except Refusal:
        return None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def has_ended(answer: bytes) -> bool | None:
    """Whether the batch that an answer describes is worked off; None where it does not have the form of one."""
    try:
        status = value_of(object_members(answer, "the answer"), "processing_status")
    except Refusal:
        return None
    return status == "ended" if isinstance(status, str) else None


def with_own_results(answer: bytes, results_url: str) -> bytes:
    """A batch with the address of its results at our host instead of the upstream's; nothing else is changed."""
    try:
        members = object_members(answer, "the answer")
        has_results = isinstance(value_of(members, "results_url"), str)
    except Refusal:
        return answer
    if not has_results:
        return answer
    # The value is an address of the upstream's, so that its bytes stand in the answer once.
    return answer.replace(bytes(members["results_url"]), msgspec.json.encode(results_url), 1)


def page_body(batches: Sequence[bytes], ids: Sequence[str], *, has_more: bool) -> bytes:
    """A list as Anthropic's API answers it; `ids` are those of the batches."""
    edges = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    members: Members = {
        "data": msgspec.Raw(b"[" + b",".join(batches) + b"]"),
        "has_more": msgspec.Raw(b"true" if has_more else b"false"),
        **{name: msgspec.Raw(msgspec.json.encode(value)) for name, value in edges.items()},
    }
    return msgspec.json.encode(members)
