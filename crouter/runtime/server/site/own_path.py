"""Where a person goes after signing in: a path of ours, whatever the address said."""

import re
from typing import Final
from urllib.parse import parse_qs

from crouter.runtime.server.exchange import Exchange

AFTERWARDS: Final = "/dashboard"
# Two slashes, or a slash and a backslash, begin the name of another host.
_OWN: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")


def own_path(told: str) -> str:
    """`told` if it is a path of this site, otherwise the dashboard."""
    # Back to signing in would go round for ever.
    return told if _OWN.fullmatch(told) and not told.startswith("/sign-") else AFTERWARDS


def next_path(exchange: Exchange) -> str:
    """Where the query's `next` leads."""
    try:
        given = parse_qs(exchange.query, max_num_fields=20).get("next", [])
    except ValueError:
        given = []
    return own_path(given[0]) if len(given) == 1 else AFTERWARDS
