"""Where clients reach the service, as answers and pages tell it.

Never what a request says that we are called: an answer of ours repeats no header.
"""

from crouter.runtime.server.exchange import Exchange, Parts


def own_address(exchange: Exchange, parts: Parts) -> str:
    """The published address; on a development machine the one that the request came in at. It ends without a slash."""
    transport = exchange.request.transport
    name = transport.get_extra_info("sockname") if transport is not None and not parts.settings.production else None
    if not isinstance(name, tuple):
        return parts.deployment.identity.url.rstrip("/")
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"
