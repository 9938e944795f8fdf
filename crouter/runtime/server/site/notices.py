"""Pages that say one thing: why something was not done, and what to do now. Never JSON, never what was sent."""

from dataclasses import dataclass

from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.headers import Headers


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go from a notice: a link's address and its words."""

    href: str
    label: str


HOME = Way("/", "Home page")
SIGN_IN = Way("/sign-in", "Sign in")


@dataclass(frozen=True, slots=True)
class Notice:
    """A title, a few sentences, and ways to go on."""

    title: str
    sentences: tuple[str, ...]
    ways: tuple[Way, ...] = (HOME,)


class Notices:
    """Draws notices in the layout of the site."""

    def __init__(self, parts: Parts) -> None:
        self._pages = SitePages(parts)
        self._contact = parts.deployment.identity.contact

    def page(
        self, exchange: Exchange, notice: Notice, visitor: Visitor | None = None, *, status: int, headers: Headers = ()
    ) -> Reply:
        """A notice of a part's own."""
        return self._pages.reply(exchange, "notice.html.jinja", notice, visitor, status=status, headers=headers)

    def cross_site(self, exchange: Exchange, visitor: Visitor | None) -> Reply:
        """For a form that was not ours, or of another sign-in."""
        notice = Notice(
            "That was not done",
            (
                "The form did not come from a page of your present sign-in. Perhaps you have signed in anew in another "
                "tab, or another web site sent it.",
                "Go back, load the page again, and repeat it there.",
            ),
        )
        return self.page(exchange, notice, visitor, status=403)

    def bad_form(self, exchange: Exchange, visitor: Visitor | None, reason: str) -> Reply:
        """For what cannot be read as a form. `reason` is a sentence of ours without its end."""
        notice = Notice("That could not be read", (f"{reason[:1].upper()}{reason[1:]}.", "Nothing was changed."))
        return self.page(exchange, notice, visitor, status=400)

    def signed_out(self, exchange: Exchange) -> Reply:
        """For a form that was sent without a sign-in."""
        notice = Notice(
            "You are signed out",
            ("Your sign-in has ended, so nothing was changed.", "Sign in, and repeat it."),
            (SIGN_IN, HOME),
        )
        return self.page(exchange, notice, status=403)

    def missing(self, exchange: Exchange, visitor: Visitor | None = None) -> Reply:
        """For an address that nothing stands at, or nothing of this visitor's."""
        notice = Notice("There is no such page", ("It may have had another address, or never been here.",))
        return self.page(exchange, notice, visitor, status=404)

    def database_away(self, exchange: Exchange, visitor: Visitor | None) -> Reply:
        """For everything that needs the database while it is away."""
        notice = Notice(
            "This page needs our database, which is away",
            (
                "API requests with known keys go on, and nothing that they use is lost.",
                "Try this page again in a minute.",
            ),
        )
        return self.page(exchange, notice, visitor, status=503, headers=(("retry-after", "30"),))
