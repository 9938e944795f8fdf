"""The home page: what the service is, what it does not keep, and how to set a client up."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from crouter.runtime.dashboard.snippets import Snippet, example_model, snippets
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.own_address import own_address
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visiting import known_visitor

POLICY_FILE: Final = Path("policy", "privacy-policy.json")
NOT_DONE: Final = ("excludes", "passes_through")
SHOWN: Final = ("claude-code", "anthropic", "curl")


@dataclass(frozen=True, slots=True)
class NotDone:
    """Something that the policy says is not done: its first sentence, and where it stands."""

    sentence: str
    claim: str


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the page says. All of it comes from what is declared and from the price book."""

    description: str
    upstream: str
    not_done: tuple[NotDone, ...]
    snippets: tuple[Snippet, ...]
    models: int
    per_minute: int
    per_hour: int
    per_day: int


class Home:
    """Answers GET and HEAD of `/`."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages
        self._not_done = read_not_done(parts.generated)
        self._model = example_model(parts.prices.model_ids)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("home", exactly("/"), READING, self.answer),)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page."""
        parts = self._parts
        deployment, limits = parts.deployment, parts.deployment.proxy.limits
        shown = {snippet.id: snippet for snippet in snippets(own_address(exchange, parts), self._model)}
        view = HomeView(
            description=deployment.identity.description,
            upstream=deployment.processor(deployment.proxy.upstream).label,
            not_done=self._not_done,
            snippets=tuple(shown[name] for name in SHOWN),
            models=len(parts.prices.model_ids),
            per_minute=limits.requests_per_minute,
            per_hour=limits.requests_per_hour,
            per_day=limits.requests_per_day,
        )
        return self._pages.public(exchange, "home.html.jinja", view, await known_visitor(parts, exchange))


def read_not_done(generated: Path) -> tuple[NotDone, ...]:
    """What the policy in force says is not done, in its own words; empty where there is no such file."""
    try:
        policy = json.loads((generated / POLICY_FILE).read_bytes())
    except OSError:
        return ()
    return tuple(
        NotDone(claim["sentences"][0]["text"] if claim["says"] == "excludes" else _retained(claim), claim["id"])
        for section in policy["sections"]
        for claim in section["claims"]
        if claim["says"] in NOT_DONE
    )


def _retained(claim: dict[str, list[dict[str, str]]]) -> str:
    # What passes through is said first, that nothing of it stays second.
    return " ".join(sentence["text"] for sentence in claim["sentences"][:2])
