"""The routes of message batches as the simulator's server answers them: from a request to a reply."""

from collections.abc import Callable, Iterator

from aiohttp import web

from crouter.simulator.batches import Batch, Batches
from crouter.simulator.compose import Headers, json_reply
from crouter.simulator.errors import Refusal
from crouter.simulator.ledger import Attempt
from crouter.simulator.reply import Reply, Send

PATH = "/v1/messages/batches"
JSON_LINES = "application/x-jsonl"
PIECE_BYTES = 700

Answerer = Callable[[web.Request, bytes, Attempt], Reply | Refusal]


class BatchRoutes:
    """`headers` are what the API adds to every answer, `url` is where it is."""

    def __init__(self, batches: Batches, headers: Callable[[Attempt], Headers], url: Callable[[], str]) -> None:
        self._batches = batches
        self._headers = headers
        self._url = url

    def routes(self) -> Iterator[tuple[str, str, Answerer]]:
        """Method, path and answerer of each."""
        yield "POST", PATH, self._create
        yield "GET", PATH, self._list
        yield "GET", f"{PATH}/{{id}}", self._one
        yield "DELETE", f"{PATH}/{{id}}", self._delete
        yield "POST", f"{PATH}/{{id}}/cancel", self._cancel
        yield "GET", f"{PATH}/{{id}}/results", self._results

    def _create(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        return self._shown(self._batches.create(body, attempt.request_id), attempt)

    def _one(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        return self._shown(self._batches.look(request.match_info["id"]), attempt)

    def _cancel(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        return self._shown(self._batches.cancel(request.match_info["id"]), attempt)

    def _delete(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        gone = self._batches.delete(request.match_info["id"])
        return gone if isinstance(gone, Refusal) else json_reply(gone, self._headers(attempt))

    def _list(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        page = self._batches.page(request.query, self._url())
        return page if isinstance(page, Refusal) else json_reply(page, self._headers(attempt))

    def _results(self, request: web.Request, body: bytes, attempt: Attempt) -> Reply | Refusal:
        lines = self._batches.results(request.match_info["id"])
        if isinstance(lines, Refusal):
            return lines
        # In pieces that end anywhere, as a file is sent.
        pieces = tuple(Send(lines[start : start + PIECE_BYTES]) for start in range(0, len(lines), PIECE_BYTES))
        return Reply(200, (("content-type", JSON_LINES), *self._headers(attempt)), pieces, chunked=True)

    def _shown(self, batch: Batch | Refusal, attempt: Attempt) -> Reply | Refusal:
        return batch if isinstance(batch, Refusal) else json_reply(batch.wire(self._url()), self._headers(attempt))
