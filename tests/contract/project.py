"""The contract server with our provider before it, and a browser that goes the way between them."""

import dataclasses
from collections.abc import Awaitable
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from crouter.runtime.egress.library_client import LibraryClient
from crouter.runtime.identity.provider import (
    SignedIn,
    SignInRefusedError,
)
from crouter.runtime.identity.supabase import SupabaseProvider
from tests.contract.supabase_auth.server import SupabaseAuth

BACK = "http://127.0.0.1:8080/sign-in/callback?state=ours"


class Clock:
    """A clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Project:
    """The contract server and our provider, which talks to it."""

    auth: SupabaseAuth
    provider: SupabaseProvider
    http: LibraryClient
    clock: Clock

    async def returned(self, url: str, *, person: int | None = 0) -> dict[str, str]:
        """What the browser brings back after the consent page; nobody approves where `person` is None."""
        async with aiohttp.ClientSession() as browser:
            async with browser.get(url) as page:
                links = [part.partition('"')[0] for part in (await page.text()).split('href="')[1:]]
            link = links[-1] if person is None else links[person]
            async with browser.get(self.auth.url + link.replace("&amp;", "&"), allow_redirects=False) as to_callback:
                location = to_callback.headers["location"]
            async with browser.get(self.auth.url + location, allow_redirects=False) as back:
                found = urlsplit(back.headers["location"])
        assert f"{found.scheme}://{found.netloc}{found.path}" == BACK.partition("?")[0]
        return {name: values[0] for name, values in parse_qs(found.query).items()}

    async def sign_in(self) -> SignedIn:
        begun = await self.provider.begin(BACK)
        return await self.provider.complete((await self.returned(begun.url))["code"], begun.verifier)


async def refused(attempt: Awaitable[object]) -> str:
    """The reason of a refusal, of which the message says no more."""
    with pytest.raises(SignInRefusedError) as caught:
        await attempt
    assert str(caught.value) == caught.value.reason
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None
    return caught.value.reason
