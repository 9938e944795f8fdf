"""Where batches are found: the upstream's paths for what a request asks, and our own address for results."""

from urllib.parse import parse_qsl, urlencode

from crouter.runtime.batches import OwnedBatch
from crouter.runtime.proxy.batches import PATH
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.own_address import own_address


class BatchAddresses:
    """Paths and addresses. Ids in them come from the ownership records or are segments that the route let pass."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def batch_id(self, exchange: Exchange) -> str:
        """The id in the request's path."""
        return exchange.path.removeprefix(f"{PATH}/").partition("/")[0]

    def target(self, exchange: Exchange) -> str:
        """The request's own path and query."""
        return exchange.path + (f"?{exchange.query}" if exchange.query else "")

    def one(self, exchange: Exchange, owned: OwnedBatch) -> str:
        """The path of a batch, for the version of the API that the request asks for."""
        beta = [pair for pair in parse_qsl(exchange.query) if pair[0] == "beta"]
        return f"{PATH}/{owned.upstream_id}" + (f"?{urlencode(beta)}" if beta else "")

    def results(self, exchange: Exchange, owned: OwnedBatch) -> str:
        """The upstream's path of a batch's results."""
        path, question, query = self.one(exchange, owned).partition("?")
        return f"{path}/results{question}{query}"

    def public_results(self, exchange: Exchange, owned: OwnedBatch) -> str:
        """Where the client finds a batch's results: with us."""
        return f"{own_address(exchange, self._parts)}{PATH}/{owned.upstream_id}/results"
