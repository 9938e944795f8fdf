"""Opens the way to the identity provider that the operator has set up."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.egress.library_client import library_client
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.identity.settings import IdentitySettings
from crouter.runtime.identity.supabase import SupabaseProvider

PROCESSOR: Final = "supabase"


@asynccontextmanager
async def identity_provider(
    deployment: Deployment, settings: IdentitySettings, refused: Callable[[], None], *, production: bool
) -> AsyncIterator[IdentityProvider | None]:
    """The provider until the block ends; None where none is set up. `refused` is told of every refused connection."""
    if settings.supabase is None:
        yield None
        return
    async with library_client(deployment, PROCESSOR, settings.supabase.url, refused, production=production) as client:
        yield SupabaseProvider(settings.supabase, client)
