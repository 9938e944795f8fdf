"""Writes names and values as PostgreSQL reads them. Builds no statements: that is `crouter/generate/statements.py`.

Text of the policy reaches SQL through `literal` only, names through `identifier` only.
"""

from hashlib import sha256

NAME_BYTES_MAX = 63
"""PostgreSQL cuts longer names off without a word (NAMEDATALEN - 1)."""


def identifier(name: str) -> str:
    """`name` as a quoted identifier. Raises ValueError for a name that PostgreSQL could not keep as it is."""
    if not name or "\0" in name or len(name.encode()) > NAME_BYTES_MAX:
        raise ValueError(f"a PostgreSQL name has 1 to {NAME_BYTES_MAX} bytes and no zero byte")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | bool | None) -> str:
    """`value` as a literal that means the same with every setting of `standard_conforming_strings`."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if "\0" in value:
        raise ValueError("a PostgreSQL text has no zero byte")
    quoted = "'" + value.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted


def joined_name(*parts: str) -> str:
    """A name within one table, of `parts` joined by underscores.

    Too long a name is shortened and told apart by a digest of the whole.
    """
    return _shortened("_".join(parts))


def relation_name(*parts: str) -> str:
    """A name of a key or an index, which share one space with the names of all tables.

    Two underscores stand in no name of the policy, so that `usage` with a column `api_key` and `usage_api` with a
    column `key` cannot meet, nor an index meet a table.
    """
    return _shortened("__".join(parts))


def _shortened(name: str) -> str:
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    mark = "_" + sha256(name.encode()).hexdigest()[:8]
    return name.encode()[: NAME_BYTES_MAX - len(mark)].decode(errors="ignore") + mark
