"""The home page: what the service is, what it does not keep, and how to set a client up."""

from dataclasses import dataclass

from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.pricing.book import PriceBook
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the page says. All of it comes from what is declared and from the price book."""

    description: str
    upstream: str
    url: str
    model: str
    per_minute: int
    per_hour: int
    per_day: int


class Home:
    """Answers GET and HEAD of `/`."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._pages = pages
        self._view = _view(parts.deployment, parts.settings, parts.prices)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("home", exactly("/"), READING, self.answer),)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page."""
        return self._pages.public(exchange, "home.html.jinja", self._view)


def public_url(deployment: Deployment, settings: Settings) -> str:
    """Where clients reach the service: the published address, on a development machine its own."""
    return deployment.identity.url.rstrip("/") if settings.production else f"http://{settings.host}:{settings.port}"


def _view(deployment: Deployment, settings: Settings, prices: PriceBook) -> HomeView:
    limits, models = deployment.proxy.limits, prices.model_ids
    return HomeView(
        description=deployment.identity.description,
        upstream=deployment.processor(deployment.proxy.upstream).label,
        url=public_url(deployment, settings),
        model=next((model for model in models if "sonnet" in model), models[0]),
        per_minute=limits.requests_per_minute,
        per_hour=limits.requests_per_hour,
        per_day=limits.requests_per_day,
    )
