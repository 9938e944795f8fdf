"""What a request can be measured by. A field that a measurement fills carries one of these names.

Counts are the upstream's own, as it reported them; their names follow Anthropic's usage object.
"""

MEASURED_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
    "web_fetch_requests",
)
MEASURED_MAPS = ("further_counts", "priced_counts")
"""Counts by name: what the upstream counted under names that have no column, and what was charged at which rate."""

MEASURED_FACTS = ("model", "service_tier", "occurred_at", "policy_digest")
MEASURES = (*MEASURED_COUNTS, *MEASURED_MAPS, *MEASURED_FACTS)

COUNT_MAX = 10**12
"""The largest single count that is believed."""

REQUESTS_MAX = 10**6
"""The largest count of requests to a tool that is believed: each costs as much as thousands of tokens."""

COUNT_NAME_CHARS_MAX = 64
COUNT_NAME = f"[a-z0-9_.]{{1,{COUNT_NAME_CHARS_MAX}}}"
"""What a name in a map of counts looks like, as a regular expression for the whole of it."""

COUNT_NAMES_MAX = 32
"""How many names a map of counts may hold."""

IDENTITY_FIELDS = ("email", "name", "picture", "locale", "phone")
"""What a sign-in provider can tell about a person; only declared ones are taken."""
