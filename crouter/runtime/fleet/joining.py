"""Joins the machines that count together, for as long as a block lasts."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crouter.contract.deployment import Deployment
from crouter.runtime.fleet.limits import FleetLimits
from crouter.runtime.fleet.store import FleetStore
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.settings import Settings


@asynccontextmanager
async def fleet_limits(
    deployment: Deployment, settings: Settings, log: Log, metrics: Metrics
) -> AsyncIterator[FleetLimits | None]:
    """Limits shared through the store of the settings; None where there is none. A store that is away is no error."""
    if settings.fleet is None:
        yield None
        return
    # The oldest key of the ring is the one that all nodes have while look-up keys are rotated.
    secret = settings.store.lookup.keys[-1].key.reveal()
    store = FleetStore(settings.fleet, uuid.uuid4().hex, secret, None)
    limits = FleetLimits(deployment.proxy.limits, store, log, metrics)
    try:
        async with limits.running():
            yield limits
    finally:
        await limits.close()
