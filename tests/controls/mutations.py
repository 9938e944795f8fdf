"""Promises broken on purpose: one edit of the library for one claim, whose own marked tests then have to fail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """An edit of one file below crouter/: a text that stands there once, and what breaks the promise in its place."""

    claim: str
    mechanism: str
    file: str
    old: str
    new: str


QUICK = {
    "the header filter drops nothing": Mutation(
        "exclude-location",
        "header_filter",
        "runtime/proxy/headers.py",
        "return lower not in self._names and not lower.startswith(self._prefixes)",
        "return True",
    ),
    "the log keeps every field": Mutation(
        "exclude-content",
        "declared_log_fields",
        "runtime/logs.py",
        "        case _:\n            return None",
        "        case _:\n            return value  # type: ignore[return-value]",
    ),
    "a sealed key is stored as it is": Mutation(
        "security-keys",
        "sealed_keys",
        "runtime/sealing.py",
        "return version + nonce + sealed",
        "return version + nonce + plain",
    ),
    "a row goes a day late": Mutation(
        "retain-usage",
        "retention_job",
        "runtime/retention/cutoff.py",
        "{column} + {keep} <= {as_of})",
        "{column} + {keep} + interval '1 day' <= {as_of})",
    ),
}
"""Broken with every run of the tests."""

FURTHER = {
    "a partition goes a day early": Mutation(
        "retain-usage",
        "retention_job",
        "runtime/retention/partitions.py",
        "WHERE until - interval '1 microsecond' + {keep} <= {as_of}",
        "WHERE until - interval '1 day' + {keep} <= {as_of}",
    ),
    "a row goes a day early": Mutation(
        "retain-usage",
        "retention_job",
        "runtime/retention/cutoff.py",
        "({column} <= {bound} AND {column} + {keep} <= {as_of})",
        "({column} + {keep} - interval '1 day' <= {as_of})",
    ),
    "a field is read for any purpose": Mutation(
        "use-usage",
        "purpose_bound_reads",
        "runtime/purposes.py",
        "if field.personal and purpose not in field.purposes:",
        "if field.personal and not purpose and purpose not in field.purposes:",
    ),
    "an address is read for any purpose": Mutation(
        "use-email",
        "purpose_bound_reads",
        "runtime/purposes.py",
        "if field.personal and purpose not in field.purposes:",
        "if field.personal and not purpose and purpose not in field.purposes:",
    ),
    "every label is counted": Mutation(
        "exclude-content",
        "declared_metrics",
        "runtime/metrics.py",
        'return value if is_word(value) else "other"',
        "return value",
    ),
    "a connection goes to any host": Mutation(
        "processor-anthropic",
        "egress_guard",
        "runtime/egress/guard.py",
        "return processor.owns(host)",
        "return True",
    ),
    "limits are counted for all keys together": Mutation(
        "use-usage",
        "rate_limits",
        "runtime/limits.py",
        "counts = self._counts.get(key)",
        "counts = next(iter(self._counts.values()), None)",
    ),
    "any cookie is set": Mutation(
        "cookie-essential",
        "cookie_register",
        "runtime/web/cookies.py",
        "            return self._cookies[name]",
        "            return self._cookies.get(name) or next(iter(self._cookies.values()))",
    ),
    "rows are shown to everybody": Mutation(
        "processor-supabase",
        "row_level_security",
        "generate/statements.py",
        " FORCE ROW LEVEL SECURITY;",
        " NO FORCE ROW LEVEL SECURITY;",
    ),
    "a page loads from anywhere": Mutation(
        "cookie-no-ads",
        "content_security_policy",
        "plan/web.py",
        '("script-src", ("\'self\'",)),',
        '("script-src", ("\'self\'", "https:")),',
    ),
}
"""Broken by `make proof-controls`."""
