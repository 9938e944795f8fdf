"""Where batches are found: the upstream's paths for what a request asks, and our own address for results."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from crouter.contract.deployment import Deployment
from crouter.runtime.batches import OwnedBatch
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.settings import Settings

PATH: Final = "/v1/messages/batches"


class BatchAddresses:
    """Paths and addresses. Ids in them come from the ownership records or are segments that the route let pass."""

    def __init__(self, deployment: Deployment, settings: Settings) -> None:
        self._url = deployment.identity.url.rstrip("/")
        self._production = settings.production

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
        return f"{self._origin(exchange)}{PATH}/{owned.upstream_id}/results"

    def _origin(self, exchange: Exchange) -> str:
        """The published address; on a development machine the one that the request came in at.

        Never what the request says that we are called: an answer of ours repeats no header.
        """
        transport = exchange.request.transport
        name = transport.get_extra_info("sockname") if transport is not None and not self._production else None
        if not isinstance(name, tuple):
            return self._url
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"http://{host}:{name[1]}"
