"""What a request can be measured by and what a sign-in can tell, with the type of each.

The same names as in `crouter/contract/measures.py`, which declares them for running code; a test holds the two in step.
"""

from crouter.policy.parts.data import FieldType

MEASURES: dict[str, FieldType] = {
    "input_tokens": "count",
    "output_tokens": "count",
    "cache_write_5m_tokens": "count",
    "cache_write_1h_tokens": "count",
    "cache_read_tokens": "count",
    "web_search_requests": "count",
    "web_fetch_requests": "count",
    "further_counts": "counts",
    "priced_counts": "counts",
    "model": "text",
    "service_tier": "text",
    "occurred_at": "timestamp",
    "policy_digest": "text",
}
"""Names follow Anthropic's usage object; the last two of the maps and texts are ours."""

IDENTITY_FIELDS: dict[str, FieldType] = {
    "email": "email",
    "name": "text",
    "picture": "text",
    "locale": "text",
    "phone": "text",
}
"""Only declared ones are taken from a sign-in."""
