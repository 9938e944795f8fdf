"""Who answers in development: Anthropic where its key is set, otherwise the simulator in this process."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crouter.development.errors import DevelopmentError
from crouter.runtime.proxy.authentication import ApiKey, ApiKeyFormat
from crouter.simulator import Simulator

KEY = "ANTHROPIC_API_KEY"
URL = "CROUTER_UPSTREAM_URL"


@dataclass(frozen=True, slots=True)
class Upstream:
    """An upstream's name, and the settings that make the service use it."""

    name: str
    settings: Mapping[str, str]


@asynccontextmanager
async def upstream(environ: Mapping[str, str]) -> AsyncIterator[Upstream]:
    """The upstream until the block ends. Raises DevelopmentError, OSError."""
    if environ.get(KEY) or environ.get(f"{KEY}_FILE"):
        if ApiKeyFormat().accepts(ApiKey(environ.get(KEY, "").strip())):
            raise DevelopmentError(
                f"{KEY} holds a key of Crouter, and the upstream wants one of Anthropic",
                f"unset {KEY} to use the built-in simulator",
            )
        given = {name: environ[name] for name in (KEY, f"{KEY}_FILE", URL, f"{URL}_FILE") if name in environ}
        yield Upstream("anthropic", given)
        return
    simulator = Simulator(f"sk-ant-simulator-{secrets.token_hex(16)}")
    async with simulator.serving() as url:
        yield Upstream("simulator", {KEY: simulator.upstream_key, URL: url})
