"""The answer to a client while it is written. Its head leaves with the first byte; before that an error replaces it."""

from aiohttp import web

from crouter.runtime.proxy.headers import Headers
from crouter.runtime.server.protocol import StreamReply


class Outlet:
    """Writes one relayed answer. Raises ConnectionError when the client is gone."""

    def __init__(self, request: web.BaseRequest, status: int, headers: Headers) -> None:
        self._request = request
        self._reply = StreamReply(status=status, headers=headers)
        self.began = False

    async def begin(self) -> None:
        """Sends the head, once."""
        if not self.began:
            self.began = True
            await self._reply.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Sends bytes, after the head."""
        await self.begin()
        await self._reply.write(data)

    async def end(self) -> web.StreamResponse:
        """Completes the answer."""
        await self.begin()
        await self._reply.write_eof()
        return self._reply
