"""Parts of Anthropic's API that are refused on purpose, so that a client is told so instead of guessing. Does no I/O.

403 and not 404: to a program, 404 for a file means that the file is gone, and it may forget its id for good.
"""

from typing import Final

from crouter.runtime.proxy.errors import ErrorReply, permission_denied

_SHARED: Final = "behind one upstream key every customer could reach them, and no record says whose they are"
_WHY: Final = {
    "/v1/files": f"files are not offered: {_SHARED}; send content in the request itself",
    "/v1/skills": f"skills are not offered: {_SHARED}",
    "/v1/agents": f"managed agents are not offered: {_SHARED}",
    "/v1/sessions": f"managed agents are not offered: {_SHARED}",
    "/v1/environments": f"managed agents are not offered: {_SHARED}",
    "/v1/vaults": f"managed agents are not offered: {_SHARED}",
    "/v1/memory_stores": f"memory stores are not offered: {_SHARED}",
    "/v1/user_profiles": f"user profiles are not offered: {_SHARED}",
    "/v1/complete": "text completions are not offered: use /v1/messages",
    "/v1/organizations": "the administration of an organization is not offered: it would be that of the operator",
}


def not_offered(path: str) -> ErrorReply | None:
    """What to answer to a path that is refused on purpose; None for any other. `path` is raw, without its query."""
    for prefix, why in _WHY.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            return permission_denied(why)
    return None
