"""Reads what the browser remembers about consent: the cookie of vanilla-cookieconsent. Pure; nothing of it is believed.

The library writes JSON in percent encoding: the categories that were accepted, a random id, and the revision of what
was asked. An answer to another question is no answer.
"""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

COOKIE: Final = "cc_cookie"
ANALYTICS: Final = "analytics"
COOKIE_CHARS_MAX: Final = 4096
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, under which random number."""

    consent_id: uuid.UUID
    analytics: bool


def read_choice(value: str | None, revision: int) -> Choice | None:
    """The choice that a cookie's value holds, if it answers what is asked now."""
    if not value or len(value) > COOKIE_CHARS_MAX:
        return None
    try:
        said = json.loads(unquote(value, errors="strict"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("revision") != revision or isinstance(said.get("revision"), bool):
        return None
    consent_id, categories = said.get("consentId"), said.get("categories")
    if not isinstance(consent_id, str) or not _UUID.fullmatch(consent_id) or not isinstance(categories, list):
        return None
    return Choice(uuid.UUID(consent_id), ANALYTICS in categories)
