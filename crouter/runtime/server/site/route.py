"""What a part of the site answers. Each part gives its routes; `site.site` puts them together."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from crouter.runtime.server.exchange import Exchange

Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]

READING = ("GET", "HEAD")
SENDING = ("POST",)


@dataclass(frozen=True, slots=True)
class SiteRoute:
    """One address. `name` is what stands in logs and metrics; `pattern` matches the whole raw path."""

    name: str
    pattern: re.Pattern[str]
    methods: tuple[str, ...]
    answer: Answerer


def exactly(path: str) -> re.Pattern[str]:
    """The pattern of one path and no other."""
    return re.compile(re.escape(path))
