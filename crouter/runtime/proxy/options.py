"""The options of the Messages API that change a price, as a request asks for them and as an answer reports them."""

from dataclasses import dataclass

STANDARD = "standard"
GLOBAL = "global"

# Models released before the option existed report that no region can be named for them.
_GEO_UNSPECIFIED = frozenset({"", "not_available"})


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """One combination of price-relevant options. The defaults are what an ordinary request gets."""

    service_tier: str = STANDARD
    speed: str = STANDARD
    inference_geo: str = GLOBAL


ORDINARY = ServiceOptions()


def service_options(
    *, service_tier: str | None = None, speed: str | None = None, inference_geo: str | None = None
) -> ServiceOptions:
    """The options named by three optional texts; an absent one is the ordinary one."""
    if service_tier is None and speed is None and inference_geo is None:
        return ORDINARY
    geo = GLOBAL if inference_geo is None or inference_geo in _GEO_UNSPECIFIED else inference_geo
    return ServiceOptions(service_tier or STANDARD, speed or STANDARD, geo)
