"""Asks a server of the operator's own whether it is there and how it speaks; sends nothing about anybody.

For `crouter doctor` only: addresses are the operator's settings and the service's own, which no processor owns.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from crouter.runtime.egress.guard import client_tls

SECONDS: Final = 10.0
ANSWER_BYTES_MAX: Final = 256 * 1024

Trouble = Literal["unreachable", "certificate", "tls", "protocol"]


class ProbeError(Exception):
    """The other side did not answer as it should. `trouble` says why; there is no text of a library in it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection that a probe reads and writes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def line(self) -> str:
        """One line, without its end."""
        return (await self.reader.readline()).decode("latin-1").rstrip("\r\n")

    async def say(self, line: str) -> None:
        """Sends one line."""
        self.writer.write(line.encode("ascii") + b"\r\n")
        await self.writer.drain()


@dataclass(frozen=True, slots=True)
class Told:
    """An HTTP answer. Names of headers are in lower case; of several with one name the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def probing(host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """A connection, with TLS verified if a context is given. Raises ProbeError, also for what the block runs into."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
            try:
                yield Wire(reader, writer)
            finally:
                writer.close()
    except ssl.SSLCertVerificationError:
        raise ProbeError("certificate") from None
    except ssl.SSLError:
        raise ProbeError("tls") from None
    except (OSError, TimeoutError):
        raise ProbeError("unreachable") from None
    except ValueError:
        raise ProbeError("protocol") from None


async def ask_http(
    host: str,
    port: int,
    path: str,
    *,
    tls: ssl.SSLContext | None,
    authority: str = "",
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
) -> Told:
    """Sends one request without a body and reads the answer. Raises ProbeError."""
    async with probing(host, port, tls) as wire:
        fields = (("host", authority or host), ("connection", "close"), ("content-length", "0"), *headers)
        for line in (f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), ""):
            await wire.say(line)
        status = (await wire.line()).split(" ")
        if len(status) < 2 or not status[0].startswith("HTTP/1.") or not status[1].isdigit():
            raise ProbeError("protocol")
        told: dict[str, str] = {}
        while line := await wire.line():
            name, _, value = line.partition(":")
            told[name.strip().lower()] = value.strip()
        body = b""
        with contextlib.suppress(asyncio.IncompleteReadError):
            while (piece := await wire.reader.read(64 * 1024)) and len(body) < ANSWER_BYTES_MAX:
                body += piece
        return Told(int(status[1]), told, body)


def verifying(minimum: str, *, speaks_http: bool = True) -> ssl.SSLContext:
    """A context that believes the system's authorities. Only HTTP names a protocol in the handshake."""
    context = client_tls(minimum)
    if not speaks_http:
        context.set_alpn_protocols([])
    return context
