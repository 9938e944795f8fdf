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
MEASURED_FACTS = ("model", "service_tier", "occurred_at")
MEASURES = (*MEASURED_COUNTS, *MEASURED_FACTS)

IDENTITY_FIELDS = ("email", "name", "picture", "locale", "phone")
"""What a sign-in provider can tell about a person; only declared ones are taken."""
