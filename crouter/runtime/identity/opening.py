"""Opens the way to the identity provider that the operator has set up.

The vendor's client brings a third of all that a process would load, so that it is loaded only where it is used.
"""

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.identity.settings import IdentitySettings

PROCESSOR: Final = "supabase"
_CLIENT: Final = "crouter.runtime.egress.library_client"
_PROVIDER: Final = "crouter.runtime.identity.supabase"


@asynccontextmanager
async def identity_provider(
    deployment: Deployment, settings: IdentitySettings, refused: Callable[[], None], *, production: bool
) -> AsyncIterator[IdentityProvider | None]:
    """The provider until the block ends; None where none is set up. `refused` is told of every refused connection."""
    if settings.supabase is None:
        yield None
        return
    client, provider = importlib.import_module(_CLIENT), importlib.import_module(_PROVIDER)
    url = settings.supabase.url
    async with client.library_client(deployment, PROCESSOR, url, refused, production=production) as http:
        opened: IdentityProvider = provider.SupabaseProvider(settings.supabase, http)
        yield opened
