"""Draws a page of the site in its layout, with the declared headers. What it is called with is escaped."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs

from crouter.contract.deployment import Deployment
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.navigation import Link, navigation
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.asset_register import AssetRegister
from crouter.runtime.web.headers import Headers, page_headers
from crouter.runtime.web.templates import page_environment

HTML: Final = ("content-type", "text/html; charset=utf-8")
KEPT_BY_NOBODY: Final = ("cache-control", "no-store")
# Whoever is signed in has another cookie, and gets another page.
KEPT_FOR_ALL: Final = (("cache-control", "public, max-age=300"), ("vary", "cookie, accept"))


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands around every page. `path` is where the reader is; `visitor` is None for nobody that we know."""

    name: str
    description: str
    contact: str
    path: str
    visitor: Visitor | None
    is_development: bool
    links: tuple[Link, ...]
    account_links: tuple[Link, ...]
    about_links: tuple[Link, ...]
    assets: AssetRegister


class SitePages:
    """Templates see `layout`, `view` and the macros of `parts.html.jinja` as `parts`."""

    def __init__(self, parts: Parts) -> None:
        self._deployment: Deployment = parts.deployment
        self._is_development = not parts.settings.production
        self._headers: Headers = page_headers(parts.deployment.web)
        self._environment = page_environment()
        self._assets = AssetRegister(parts.generated)

    def reply(
        self,
        exchange: Exchange,
        template: str,
        view: Any,
        visitor: Visitor | None = None,
        *,
        status: int = 200,
        headers: Headers = (),
    ) -> Reply:
        """The page, never kept by anybody on the way: it may be about one person."""
        body = self._draw(exchange, template, view, visitor)
        return Reply(status=status, headers=[*self._headers, HTML, KEPT_BY_NOBODY, *headers], body=body)

    def public(self, exchange: Exchange, template: str, view: Any, visitor: Visitor | None = None) -> Reply:
        """A page that is the same for everybody who is not signed in; it may be kept for a while, and asked for again
        by its tag."""
        if visitor is not None:
            return self.reply(exchange, template, view, visitor)
        body = self._draw(exchange, template, view, None)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        told = [*self._headers, *KEPT_FOR_ALL, ("etag", etag)]
        if etag in exchange.request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return Reply(status=304, headers=told)
        return Reply(headers=[*told, HTML], body=body)

    def _draw(self, exchange: Exchange, template: str, view: Any, visitor: Visitor | None) -> bytes:
        identity, links = self._deployment.identity, navigation(exchange.path, visitor)
        layout = Layout(
            name=identity.name,
            description=identity.description,
            contact=identity.contact,
            path=exchange.path,
            visitor=visitor,
            is_development=self._is_development,
            links=links.main,
            account_links=links.account,
            about_links=links.about,
            assets=self._assets,
        )
        return self._environment.get_template(template).render(layout=layout, view=view).encode()
