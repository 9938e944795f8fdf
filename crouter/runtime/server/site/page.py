"""Draws a page of the site in its layout, with the declared headers. What it is called with is escaped."""

from dataclasses import dataclass
from typing import Any

from crouter.contract.deployment import Deployment
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.headers import Headers, page_headers
from crouter.runtime.web.templates import page_environment


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands around every page. `path` is where the reader is; `visitor` is None for nobody that we know."""

    name: str
    contact: str
    path: str
    visitor: Visitor | None
    is_development: bool


class SitePages:
    """Templates see two names: `layout` and `view`."""

    def __init__(self, parts: Parts) -> None:
        self._deployment: Deployment = parts.deployment
        self._is_development = not parts.settings.production
        self._headers: Headers = page_headers(parts.deployment.web)
        self._environment = page_environment()

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
        identity = self._deployment.identity
        layout = Layout(identity.name, identity.contact, exchange.path, visitor, self._is_development)
        body = self._environment.get_template(template).render(layout=layout, view=view)
        told = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
        return Reply(status=status, headers=[*self._headers, *told, *headers], body=body.encode())
