"""A service in a thread with a loop of its own, for tests whose clients are not asynchronous."""

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from crouter.contract.deployment import Deployment
from crouter.runtime.identity.session_cookie import COOKIE, SessionCookie
from crouter.runtime.identity.sessions import Sessions
from tests.behaviour.service import Service, serving

Result = TypeVar("Result")
LIFETIME_DAYS = 1


@dataclass(frozen=True)
class SignedIn:
    """What a browser of somebody who is signed in sends."""

    cookie: str
    form_token: str

    @property
    def headers(self) -> dict[str, str]:
        """For a change that a page of ours makes."""
        return {
            "cookie": f"{COOKIE}={self.cookie}",
            "x-form-token": self.form_token,
            "sec-fetch-site": "same-origin",
        }


@dataclass(frozen=True)
class Threaded:
    """A running service and the loop that it runs in."""

    service: Service
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = 30.0) -> Result:
        """What a coroutine gives, run beside the service."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)


@contextlib.contextmanager
def serving_in_thread(deployment: Deployment, dsn: str, generated: Path, **options: Any) -> Iterator[Threaded]:
    """`serving` in a thread, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="service")
    thread.start()
    stack = contextlib.AsyncExitStack()
    try:
        entering = stack.enter_async_context(serving(deployment, dsn, generated, **options))
        service = asyncio.run_coroutine_threadsafe(entering, loop).result(60)
        try:
            yield Threaded(service, loop)
        finally:
            asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def sign_in(service: Service, account: uuid.UUID | None = None) -> SignedIn:
    """A session of an account, the service's own one unless it is told."""
    parts = service.running.parts
    keys = parts.settings.identity.session_keys
    sessions = Sessions(parts.deployment, parts.database, keys, timedelta(days=LIFETIME_DAYS))
    session = await sessions.begin(account or service.account, None)
    cookie = SessionCookie(keys)
    value = cookie.make(session)
    held = cookie.read(value)
    assert held is not None
    return SignedIn(value, held.form_token)
