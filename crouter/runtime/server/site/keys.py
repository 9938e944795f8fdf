"""The page of API keys: make, name, limit, replace, revoke. A key is shown once, on the answer that makes it.

Nothing of it is kept here: loading the page again shows its beginning and its last four characters only.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from crouter.runtime.account_limits import LimitStore, NoLimitsError
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.keys import KeyLabelError, KeyLimitError, KeyStore, ListedKey, NewKey, NoSuchKeyError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.form import Form, read_form, see_other, signed_in
from crouter.runtime.server.site.key_views import AmountError, keys_view, limit_typed
from crouter.runtime.server.site.notices import Notice, Notices, Way
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.spending.figures import SpendingFigures

PATH: Final = "/dashboard/keys"
_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_Change = Callable[[Visitor, uuid.UUID, Form], Awaitable[str]]


class KeyPages:
    """Answers /dashboard/keys and what lies below it."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        deployment, database = parts.deployment, parts.database
        self._parts = parts
        self._pages = pages
        self._notices = Notices(parts)
        self._keys = KeyStore(deployment, database, parts.settings.store, parts.outbox)
        self._limits = LimitStore(deployment, database)
        self._figures = SpendingFigures(deployment, database)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (
            SiteRoute("keys", exactly(PATH), READING, signed_in(self._parts, self._show)),
            SiteRoute("keys", exactly(PATH), SENDING, signed_in(self._parts, self._make)),
            SiteRoute("keys", exactly(f"{PATH}/limit"), SENDING, signed_in(self._parts, self._limit_account)),
            SiteRoute("key", _below("revoke"), READING, signed_in(self._parts, self._confirm)),
            SiteRoute("key", _below("rotate"), SENDING, signed_in(self._parts, self._rotate)),
            *(
                SiteRoute("key", _below(verb), SENDING, signed_in(self._parts, self._changing(change)))
                for verb, change in (("revoke", self._revoked), ("name", self._named), ("limit", self._limited))
            ),
        )

    async def _show(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        return await self._page(exchange, visitor)

    async def _make(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        form = await read_form(exchange, visitor)
        try:
            new = await self._keys.create(visitor.account, label=form.get("label", ""))
        except (KeyLabelError, KeyLimitError, NoSuchAccountError) as error:
            return await self._page(exchange, visitor, fault=_sentence(error), status=409)
        return await self._page(exchange, visitor, new=new)

    async def _rotate(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        try:
            new = await self._keys.rotate(visitor.account, key=_key_in(exchange))
        except (NoSuchKeyError, NoSuchAccountError):
            return self._no_such_key(exchange, visitor)
        except KeyLimitError as error:
            return await self._page(exchange, visitor, fault=_sentence(error), status=409)
        return await self._page(exchange, visitor, new=new)

    async def _confirm(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        key = next((one for one in await self._keys.list(visitor.account) if one.id == _key_in(exchange)), None)
        if key is None or not key.is_active(datetime.now(UTC)):
            return self._no_such_key(exchange, visitor)
        return self._pages.reply(exchange, "key_revoke.html.jinja", key, visitor)

    async def _limit_account(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        form = await read_form(exchange, visitor)
        try:
            await self._limits.set_month_limit(visitor.account, limit_typed(form.get("limit", "")))
        except (AmountError, NoLimitsError, NoSuchAccountError) as error:
            return await self._page(exchange, visitor, fault=_sentence(error), status=400)
        return see_other(PATH)

    def _changing(self, change: _Change) -> Callable[[Exchange, Visitor], Awaitable[web.StreamResponse]]:
        """A form that changes one key, and then shows the page again."""

        async def changed(exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
            form = await read_form(exchange, visitor)
            try:
                await change(visitor, _key_in(exchange), form)
            except NoSuchKeyError:
                return self._no_such_key(exchange, visitor)
            except (AmountError, KeyLabelError) as error:
                return await self._page(exchange, visitor, fault=_sentence(error), status=400)
            return see_other(PATH)

        return changed

    async def _revoked(self, visitor: Visitor, key: uuid.UUID, form: Form) -> str:
        await self._keys.revoke(key, account=visitor.account)
        return "revoked"

    async def _named(self, visitor: Visitor, key: uuid.UUID, form: Form) -> str:
        await self._keys.rename(key, form.get("label", ""), account=visitor.account)
        return "named"

    async def _limited(self, visitor: Visitor, key: uuid.UUID, form: Form) -> str:
        await self._keys.limit(key, limit_typed(form.get("limit", "")), account=visitor.account)
        return "limited"

    async def _page(
        self, exchange: Exchange, visitor: Visitor, *, new: NewKey | None = None, fault: str = "", status: int = 200
    ) -> web.StreamResponse:
        now = datetime.now(UTC)
        keys: tuple[ListedKey, ...] = await self._keys.list(visitor.account)
        try:
            account_limit = (await self._limits.of(visitor.account)).month_limit_nanousd
        except NoLimitsError:
            account_limit = None
        view = keys_view(
            keys,
            await self._figures.of(visitor.account, now),
            now=now,
            active_max=self._keys.active_max,
            grace=self._keys.grace,
            account_limit_nanousd=account_limit,
            new=new,
            fault=fault,
        )
        return self._pages.reply(exchange, "keys.html.jinja", view, visitor, status=status)

    def _no_such_key(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """The same for a key that is somebody else's, one that has ended, and one that never was."""
        sentences = ("You have no working key of that name: perhaps it was revoked or replaced already.",)
        notice = Notice("There is no such key", sentences, (Way(PATH, "Your keys"),))
        return self._notices.page(exchange, notice, visitor, status=404)


def _below(verb: str) -> re.Pattern[str]:
    return re.compile(rf"{PATH}/(?P<key>{_ID})/{verb}")


def _key_in(exchange: Exchange) -> uuid.UUID:
    return uuid.UUID(exchange.path.split("/")[3])


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
