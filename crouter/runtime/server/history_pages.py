"""Pages about the versions of the policy: the list, one version, and the differences between any two.

Each is HTML for readers and, under `.json` or for an `Accept` that prefers it, JSON for programs.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiohttp import hdrs, web

from crouter.runtime.policy_history import INDEX, Version, differences, read_policy_history
from crouter.runtime.proxy.errors import not_found
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.site.page import KEPT_FOR_ALL, SitePages
from crouter.runtime.server.site.visiting import known_visitor
from crouter.runtime.web.headers import Headers, page_headers
from crouter.runtime.web.negotiation import best_media_type

PATH: Final = "/privacy/history"
_HTML: Final = "text/html"
_JSON: Final = "application/json"
_NAME: Final = r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*?"
_PATTERN: Final = re.compile(rf"{PATH}(?:/(?P<first>{_NAME})(?:\.\.(?P<second>{_NAME}))?)?(?P<json>\.json)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Step:
    """One version in the list, and where its differences to the one before it are; empty for the first."""

    version: Version
    since: str
    differences: str


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    claims: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """What the three templates draw. `sections` hold claims of one version, or the differences of two."""

    title: str
    version: Version
    before: Version
    steps: tuple[_Step, ...]
    sections: tuple[_Section, ...]
    json: str
    history: str = PATH


class HistoryPages:
    """Answers GET and HEAD below /privacy/history. Pages are drawn when they are asked for: there are many pairs."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        """Raises HistoryUnreadableError."""
        declared = any(document.file == INDEX for document in parts.deployment.web.documents)
        self._versions = read_policy_history(parts.generated) if declared else ()
        self._index = (parts.generated / INDEX).read_bytes() if declared else b""
        self._headers: Headers = page_headers(parts.deployment.web)
        self._parts = parts
        self._pages = pages

    def routes(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Name and pattern of the paths that are answered; none where no version is declared."""
        return ((PATH, _PATTERN),) if self._versions else ()

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page at the path of the request, which `routes` matches."""
        match = _PATTERN.fullmatch(exchange.path)
        assert match is not None
        names = [name for name in (match["first"], match["second"]) if name is not None]
        chosen = [version for name in names for version in self._versions if version.name == name]
        if len(chosen) != len(names):
            return error_reply(not_found(), exchange.request_id)
        accept = exchange.request.headers.get(hdrs.ACCEPT)
        media_type = _JSON if match["json"] else best_media_type(accept, (_HTML, _JSON))
        return self._data(exchange, chosen) if media_type == _JSON else await self._page(exchange, chosen)

    def _data(self, exchange: Exchange, chosen: Sequence[Version]) -> web.StreamResponse:
        body = self._json(chosen)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = [*self._headers, *KEPT_FOR_ALL, ("etag", etag)]
        if etag in exchange.request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return Reply(status=304, headers=headers)
        return Reply(headers=[*headers, ("content-type", _JSON)], body=body)

    def _json(self, chosen: Sequence[Version]) -> bytes:
        if not chosen:
            return self._index
        if len(chosen) == 1:
            value = asdict(chosen[0])
        else:
            value = {
                "before": _summary(chosen[0]),
                "after": _summary(chosen[1]),
                "claims": [asdict(item) for item in differences(*chosen)],
            }
        return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()

    async def _page(self, exchange: Exchange, chosen: Sequence[Version]) -> web.StreamResponse:
        template, view = self._view(chosen)
        return self._pages.public(exchange, template, view, await known_visitor(self._parts, exchange))

    def _view(self, chosen: Sequence[Version]) -> tuple[str, _View]:
        """The template and what it draws."""
        last = self._versions[-1]
        if not chosen:
            return "history.html.jinja", _View(f"{last.title}: versions", last, last, self._steps(), (), f"{PATH}.json")
        if len(chosen) == 1:
            (version,) = chosen
            sections = _sections(version.claims)
            return "version.html.jinja", _View(
                version.title, version, version, (), sections, f"{PATH}/{version.name}.json"
            )
        before, after = chosen
        title = f"{after.title}: from version {before.version} to {after.version}"
        address = f"{PATH}/{before.name}..{after.name}.json"
        return "differences.html.jinja", _View(title, after, before, (), _sections(differences(before, after)), address)

    def _steps(self) -> tuple[_Step, ...]:
        """The versions, the newest first."""
        pairs = zip(self._versions, (None, *self._versions), strict=False)
        steps = [
            _Step(
                version,
                before.version if before else "",
                f"{PATH}/{before.name}..{version.name}" if before else "",
            )
            for version, before in pairs
        ]
        return tuple(reversed(steps))


def _sections(claims: Sequence[Any]) -> tuple[_Section, ...]:
    titles = dict.fromkeys(claim.section for claim in claims)
    return tuple(_Section(title, tuple(claim for claim in claims if claim.section == title)) for title in titles)


def _summary(version: Version) -> dict[str, Any]:
    summary = asdict(version)
    del summary["claims"]
    return summary
