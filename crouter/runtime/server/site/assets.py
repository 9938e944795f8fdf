"""Sends the files that pages load: for ever under an address that holds their digest, for a while under their name."""

import re
from typing import Final

from aiohttp import hdrs, web

from crouter.runtime.proxy.errors import not_found
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.web.asset_register import DIGEST_CHARS, FOLDER, ICON, ICON_PATH, AssetRegister
from crouter.runtime.web.headers import Headers, page_headers

PATTERN: Final = re.compile(
    rf"{FOLDER}/(?:(?P<digest>[0-9a-f]{{{DIGEST_CHARS}}})/)?(?P<name>[a-z0-9][a-z0-9.-]{{0,63}})"
)
FOR_EVER: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=300"


class Assets:
    """Answers GET and HEAD below /assets."""

    def __init__(self, parts: Parts) -> None:
        self._register = AssetRegister(parts.generated)
        self._headers: Headers = page_headers(parts.deployment.web)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (
            SiteRoute("assets", PATTERN, READING, self.answer),
            SiteRoute("assets", exactly(ICON_PATH), READING, self._icon),
        )

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The file at the path of the request, which `PATTERN` matches."""
        match = PATTERN.fullmatch(exchange.path)
        assert match is not None, "the route's own pattern"
        # A page of another process may have been drawn with other files: then these are not what its address means.
        cached = FOR_EVER if match["digest"] == self._register.digest else FOR_A_WHILE
        return self._sent(exchange, match["name"], cached)

    async def _icon(self, exchange: Exchange) -> web.StreamResponse:
        return self._sent(exchange, ICON, FOR_A_WHILE)

    def _sent(self, exchange: Exchange, name: str, cached: str) -> web.StreamResponse:
        asset = self._register.find(name)
        if asset is None:
            return error_reply(not_found(), exchange.request_id)
        headers = [*self._headers, ("etag", asset.etag), ("cache-control", cached)]
        if asset.etag in exchange.request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return Reply(status=304, headers=headers)
        return Reply(headers=[*headers, ("content-type", asset.media_type)], body=asset.body)
