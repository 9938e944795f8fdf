"""Chooses one of several representations by an `Accept` header (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_RANGES_MAX = 64


def best_media_type(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type that `accept` prefers; equally good ones in the order they are offered.

    Where nothing offered is acceptable the first is given all the same: a policy that can be read in
    another format is better than none. `offered` has no parameters.
    """
    ranges = _ranges(accept or "*/*")
    qualities = [(_quality(media_type, ranges), -place) for place, media_type in enumerate(offered)]
    quality, place = max(qualities)
    return offered[-place] if quality > 0 else offered[0]


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(",")[:_RANGES_MAX]:
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = float(value) if _QUALITY.fullmatch(value.strip()) else 0.0
        if media_range:
            ranges[media_range] = max(quality, ranges.get(media_range, 0.0))
    return ranges


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    # The most specific range decides, even where a wider one asks for more.
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
