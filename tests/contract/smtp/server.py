"""A mail server for tests: aiosmtpd on a port of this machine, with TLS if wanted, that fails as it is told.

It keeps what it accepted. `Faults` says what goes wrong: the answer to a command, or a connection cut before or after
the message was taken.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

Command = Literal["MAIL", "RCPT", "DATA"]
ACCEPTED = "250 OK"


@dataclass
class Accepted:
    """One message that the server has taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=default).parsebytes(self.content)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class Faults:
    """What goes wrong. A word for one command is used up by the next such command; `always` is not."""

    once: dict[Command, list[str]] = field(default_factory=dict)
    always: dict[Command, str] = field(default_factory=dict)
    of_recipient: dict[str, str] = field(default_factory=dict)
    cut_before_data: int = 0
    """So many messages are neither taken nor answered."""
    cut_after_data: int = 0
    """So many messages are taken, and the connection ends before anybody says so."""
    silent_seconds: float = 0
    """Waits so long before it answers a message."""

    def answer(self, command: Command, otherwise: str) -> str:
        waiting = self.once.get(command)
        return waiting.pop(0) if waiting else self.always.get(command, otherwise)


@dataclass
class MailSink:
    """The server of a test."""

    port: int = 0
    accepted: list[Accepted] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    connections: int = 0

    # What follows is called by aiosmtpd.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self.faults.answer("MAIL", ACCEPTED)
        if answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self.faults.of_recipient.get(address) or self.faults.answer("RCPT", ACCEPTED)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.faults.cut_before_data > 0:
            self.faults.cut_before_data -= 1
            return _cut(server)
        answer = self.faults.answer("DATA", ACCEPTED)
        if not answer.startswith("2"):
            return answer
        user = session.auth_data.login.decode() if session.auth_data else ""
        self.accepted.append(
            Accepted(
                sender=envelope.mail_from,
                recipients=tuple(envelope.rcpt_tos),
                content=envelope.original_content,
                encrypted=server.transport.get_extra_info("sslcontext") is not None,  # type: ignore[union-attr]
                user=user,
            )
        )
        await asyncio.sleep(self.faults.silent_seconds)
        if self.faults.cut_after_data > 0:
            self.faults.cut_after_data -= 1
            return _cut(server)
        return answer


def _cut(server: SMTP) -> str:
    assert server.transport is not None
    server.transport.abort()  # type: ignore[attr-defined]
    return "421 nobody hears this"


@asynccontextmanager
async def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: bool = False,
    login: tuple[str, str] | None = None,
    utf8: bool = True,
    port: int = 0,
) -> AsyncIterator[MailSink]:
    """Runs until the block ends. With `tls` from the first byte, or after STARTTLS; `login` is the only one taken."""
    sink, open_connections = MailSink(), set[asyncio.BaseTransport]()

    def authenticator(server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        known = login is not None and (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=known, auth_data=data, handled=False)

    class Protocol(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            sink.connections += 1
            open_connections.add(transport)
            super().connection_made(transport)

    def made() -> SMTP:
        return Protocol(
            sink,
            enable_SMTPUTF8=utf8,
            hostname="localhost",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            auth_required=login is not None,
            auth_require_tls=login is not None and starttls,
            authenticator=authenticator,
            loop=loop,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(made, "127.0.0.1", port, ssl=None if starttls else tls)
    sink.port = listening.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        listening.close()
        for transport in open_connections:
            transport.abort()  # type: ignore[attr-defined]
        await listening.wait_closed()
        await asyncio.sleep(0)
