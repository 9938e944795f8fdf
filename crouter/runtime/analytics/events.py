"""Decides what of an event may leave: declared kinds and properties, and values of a narrow form. Does no I/O.

What a page sends is what its visitor's browser sends, so nothing of it is believed. A path that is not one of our
public pages, or that names something of one person's, becomes a placeholder: `/dashboard/keys/{}`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crouter.contract.web import Analytics

PATH_CHARS_MAX: Final = 200
# A segment that could be an id, an address or a key of somebody stands for no page.
_SEGMENT: Final = re.compile(r"[a-z][a-z-]{0,31}(?:\.(?:html|md|txt|json))?")
_HOST: Final = re.compile(r"(?=.{1,100}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_ELEMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,47}")
_ADDRESS: Final = re.compile(r"[0-9.]+")
PLACEHOLDER: Final = "{}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it leaves, and nothing of who caused it."""

    name: str
    properties: tuple[tuple[str, str], ...]


def read_event(body: bytes, declared: Analytics) -> Event | None:
    """The event in a body, `{"type": "track", "payload": {"name": …, "properties": {…}}}`; None if it is none of ours.

    Of its properties the declared ones stay, where their values have the form of such a value.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    payload = said.get("payload") if isinstance(said, dict) and said.get("type") == "track" else None
    if not isinstance(payload, dict):
        return None
    event = next((event for event in declared.events if event.name == payload.get("name")), None)
    if event is None:
        return None
    given = payload.get("properties")
    return Event(event.name, _kept(event.properties, given if isinstance(given, dict) else {}))


def _kept(declared: tuple[str, ...], given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kept = []
    for name in declared:
        value = given.get(name)
        told = _READ[name](value) if isinstance(value, str) and name in _READ else None
        if told is not None:
            kept.append((name, told))
    return tuple(kept)


def _path(value: str) -> str | None:
    """The path without a query, each segment as it is or as a placeholder; None for what is no path."""
    path = value.partition("?")[0].partition("#")[0]
    if not path.startswith("/") or len(path) > PATH_CHARS_MAX:
        return None
    segments = path[1:].split("/")
    return "/" + "/".join(s if not s or _SEGMENT.fullmatch(s) else PLACEHOLDER for s in segments)


def _host(value: str) -> str | None:
    """A host name, and no address: of a referrer nothing else is told."""
    host = value.lower()
    return host if _HOST.fullmatch(host) and not _ADDRESS.fullmatch(host) else None


def _element(value: str) -> str | None:
    return value if _ELEMENT.fullmatch(value) else None


_READ: Final = {"path": _path, "referrer_host": _host, "element": _element}
