"""Declared header patterns, as the proxy's core wants them. Decides nothing."""

from collections.abc import Iterable


def drop_patterns(patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Declared header patterns as plain names and prefixes."""
    patterns = tuple(patterns)
    names = tuple(pattern for pattern in patterns if not pattern.endswith("*"))
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return names, prefixes
