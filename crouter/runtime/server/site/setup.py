"""The set-up page: texts to paste for each client, with the address of this service in them."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from crouter.runtime.dashboard.snippets import KEY, Setting, Snippet, cursor_settings, example_model, snippets
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.own_address import own_address
from crouter.runtime.server.site.form import signed_in
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor

PATH: Final = "/dashboard/setup"


@dataclass(frozen=True, slots=True)
class SetupView:
    """What the page says. `placeholder` is what the key takes the place of."""

    placeholder: str
    snippets: tuple[Snippet, ...]
    cursor: tuple[Setting, ...]
    models: tuple[str, ...]


class Setup:
    """Answers GET and HEAD of `/dashboard/setup`."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("dashboard_setup", exactly(PATH), READING, signed_in(self._parts, self._answer)),)

    async def _answer(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        url, models = own_address(exchange, self._parts), self._parts.prices.model_ids
        model = example_model(models)
        view = SetupView(KEY, snippets(url, model), cursor_settings(url, model), models)
        return self._pages.reply(exchange, "setup.html.jinja", view, visitor)
