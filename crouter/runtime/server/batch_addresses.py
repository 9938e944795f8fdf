"""Where batches are found: the upstream's paths for what a request asks, and our own address for results."""

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

from crouter.contract.deployment import Deployment
from crouter.runtime.batches import OwnedBatch
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.settings import Settings

PATH: Final = "/v1/messages/batches"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](:[0-9]{1,5})?")


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
        host = exchange.request.headers.get("host", "")
        # In production the published address is the only one; a development machine is called by many names.
        is_named = not self._production and _HOST.fullmatch(host) is not None
        return f"{f'http://{host}' if is_named else self._url}{PATH}/{owned.upstream_id}/results"
