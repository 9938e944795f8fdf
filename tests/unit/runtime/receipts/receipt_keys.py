"""Keys and claims for tests of receipts."""

import uuid
from datetime import UTC, datetime
from typing import Any

from crouter.runtime.environment import KeyRing, VersionedKey
from crouter.runtime.receipts.claims import KIND, claims_of
from crouter.runtime.receipts.json_text import compact
from crouter.runtime.receipts.keys import SigningKeys
from crouter.runtime.secret import Secret

ISSUER = "https://crouter.example"
NAME = "req_" + uuid.UUID(int=7).hex
NOW = datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)

ROW: dict[str, Any] = {
    "input_tokens": 1200,
    "output_tokens": 300,
    "cache_write_5m_tokens": 0,
    "cache_write_1h_tokens": 40,
    "cache_read_tokens": None,
    "web_search_requests": 1,
    "web_fetch_requests": 2,
    "further_counts": {"audio_tokens": 0},
    "priced_counts": {
        "input_tokens.3000": 1200,
        "output_tokens.15000": 300,
        "cache_write_1h_tokens.6000": 40,
        "web_search_requests.10000000": 1,
    },
    "model": "claude-sonnet-4-5",
    "service_tier": "standard",
    "occurred_at": datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC),
    "policy_digest": "d1",
}
COST = 1200 * 3000 + 300 * 15_000 + 40 * 6000 + 10_000_000


def ring(*letters: bytes) -> KeyRing:
    """A ring of one key for each letter, newest first."""
    return KeyRing(
        tuple(VersionedKey(len(letters) - place, Secret(letter * 32)) for place, letter in enumerate(letters))
    )


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of `ROW`, with some changed; None takes one out."""
    made = {**claims_of(NAME, ISSUER, ROW, COST, "2026-11-23", NOW), **changed}
    return {name: value for name, value in made.items() if value is not None}


def receipt(keys: SigningKeys, **changed: Any) -> str:
    """A signed receipt of those claims."""
    return keys.sign(compact(claims(**changed)), KIND)
