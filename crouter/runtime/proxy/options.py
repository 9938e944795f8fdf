"""The options of the Messages API that change a price, as a request asks for them and as an answer reports them."""

from dataclasses import dataclass
from typing import Final

STANDARD: Final = "standard"
GLOBAL: Final = "global"

# Models released before the option existed report that no region can be named for them.
_GEO_UNSPECIFIED: Final = frozenset({"", "not_available"})


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """One combination of price-relevant options. The defaults are what an ordinary request gets."""

    service_tier: str = STANDARD
    speed: str = STANDARD
    inference_geo: str = GLOBAL


ORDINARY: Final = ServiceOptions()


def service_options(
    *, service_tier: str | None = None, speed: str | None = None, inference_geo: str | None = None
) -> ServiceOptions:
    """The options named by three optional texts; an absent one is the ordinary one. `ORDINARY` itself if all are."""
    tier, pace = service_tier or STANDARD, speed or STANDARD
    geo = GLOBAL if inference_geo is None or inference_geo in _GEO_UNSPECIFIED else inference_geo
    if tier == STANDARD and pace == STANDARD and geo == GLOBAL:
        return ORDINARY
    return ServiceOptions(tier, pace, geo)
