"""What a browser says with every request: Global Privacy Control and Do Not Track. Pure."""

from collections.abc import Callable

GPC = "sec-gpc"
DNT = "dnt"


def refuses(header: Callable[[str], str | None], honours: tuple[str, ...]) -> bool:
    """Whether a signal that the policy honours is a refusal. Both say so with `1` and with nothing else.

    `header` gives the value of a request's header.
    """
    refused_by_gpc = "global_privacy_control" in honours and _is_one(header(GPC))
    return refused_by_gpc or ("do_not_track" in honours and _is_one(header(DNT)))


def _is_one(value: str | None) -> bool:
    return value is not None and value.strip() == "1"
