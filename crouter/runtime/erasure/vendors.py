"""The processors that hold something about people, as deletions ask them; those that are set up in this environment.

Supabase also holds the database itself: its rows go with the retention rule, and what is asked here is its sign-in.
OpenPanel is not here: it is sent nothing that names anybody, and that is what the step of a deletion says.
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.environment import KeyRing, Reader
from crouter.runtime.erasure.processors import Erasers, ErasureFailedError, erasers
from crouter.runtime.identity.opening import PROCESSOR as SUPABASE
from crouter.runtime.identity.opening import identity_provider
from crouter.runtime.identity.provider import IdentityProvider, ProviderAwayError
from crouter.runtime.identity.settings import IdentitySettings, SupabaseSettings, read_supabase
from crouter.runtime.logs import Log
from crouter.runtime.payments.processor import Processor, ProcessorAwayError, ProcessorRefusedError, open_processor
from crouter.runtime.payments.settings import STRIPE, PaymentSettings, read_payments
from crouter.runtime.settings import identity_processor

_AWAY: Final = "away"
_REFUSED: Final = "refused"


class SignInErasure:
    """Has the identity provider forget somebody."""

    name = SUPABASE

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    async def erase(self, pointer: str) -> None:
        """See ProcessorErasure."""
        try:
            await self._provider.delete_user(uuid.UUID(pointer))
        except ProviderAwayError:
            raise ErasureFailedError(_AWAY) from None


class CustomerErasure:
    """Has Stripe delete a customer. What it has to keep of payments by law, it keeps."""

    name = STRIPE

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    async def erase(self, pointer: str) -> None:
        """See ProcessorErasure."""
        try:
            await self._processor.delete_customer(pointer)
        except ProcessorAwayError:
            raise ErasureFailedError(_AWAY) from None
        except ProcessorRefusedError:
            raise ErasureFailedError(_REFUSED) from None


def read_vendors(
    deployment: Deployment, environ: Mapping[str, str]
) -> tuple[SupabaseSettings | None, PaymentSettings | None]:
    """What is needed to speak with them; in production all of it. Raises SettingsError."""
    reader, production = Reader(environ), is_production(environ)
    declared = identity_processor(deployment)
    supabase = read_supabase(reader, declared, production=production) if declared is not None else None
    payments = read_payments(reader, deployment, production=production)
    reader.give_up_on_problems()
    return supabase, payments


@asynccontextmanager
async def vendor_erasers(deployment: Deployment, environ: Mapping[str, str], log: Log) -> AsyncIterator[Erasers]:
    """Those that are set up, until the block ends. Raises SettingsError."""
    supabase, payments = read_vendors(deployment, environ)
    production = is_production(environ)
    async with AsyncExitStack() as stack:
        found: list[SignInErasure | CustomerErasure] = []
        identity = IdentitySettings(KeyRing(()), frozenset(), supabase)
        provider = await stack.enter_async_context(
            identity_provider(
                deployment, identity, lambda: log.error("egress_refused", error=SUPABASE), production=production
            )
        )
        if provider is not None:
            found.append(SignInErasure(provider))
        if payments is not None:
            processor = await stack.enter_async_context(open_processor(deployment, payments, production=production))
            found.append(CustomerErasure(processor))
        yield erasers(*found)


def is_production(environ: Mapping[str, str]) -> bool:
    """Whether the environment is a production one, where every processor has to be set up."""
    return Reader(environ).text("CROUTER_ENVIRONMENT") != "development"
