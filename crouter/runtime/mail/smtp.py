"""Hands a message to the operator's mail server and says in one word how that went. Retries nothing.

What a server answers may quote an address, so that only its code goes further.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final, Literal, Protocol

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from crouter.runtime.egress.mail_host import open_mail_socket
from crouter.runtime.mail.message import needs_utf8
from crouter.runtime.mail.settings import MailServer

TIMEOUT_SECONDS: Final = 60.0
_CLOSING: Final = 421
FAREWELL_SECONDS: Final = 5.0
BROKE_OFF: Final = "smtp_broke_off"

Fate = Literal["sent", "later", "refused_address", "refused_mail", "server_away"]
"""`later` is a reason that may pass; `server_away` is one that stands against the mails that follow as well."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt; `error` is a word, empty when it was sent."""

    fate: Fate
    error: str = ""


class Carrier(Protocol):
    """Takes messages, one after the other."""

    async def carry(self, sender: str, recipient: str, message: bytes) -> Result: ...


class ServerAwayError(Exception):
    """No mail can be handed over now. `error` is a word."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@asynccontextmanager
async def connected(
    server: MailServer, tls: SSLContext, local_name: str, timeout_seconds: float = TIMEOUT_SECONDS
) -> AsyncIterator[Carrier]:
    """A connection to the server until the block ends. `local_name` is what we call ourselves.

    A certificate that does not verify, a server without STARTTLS where it was asked for and a refused login are
    reasons to hand over nothing. Raises ServerAwayError.
    """
    client = SMTP(
        hostname=server.host,
        username=server.user or None,
        password=server.password.reveal() if server.user else None,
        local_hostname=local_name,
        use_tls=server.tls == "implicit",
        start_tls=server.tls == "starttls",
        tls_context=tls,
        timeout=timeout_seconds,
    )
    try:
        await client.connect(port=None, sock=await open_mail_socket(server.host, server.port))
        await client.ehlo()
    except SMTPAuthenticationError:
        raise ServerAwayError("smtp_login_refused") from None
    except SMTPResponseException as problem:
        raise ServerAwayError(f"smtp_{problem.code}") from None
    except (SMTPException, OSError):
        raise ServerAwayError("smtp_unreachable") from None
    try:
        yield _Smtp(client)
    finally:
        # What was accepted is accepted: a farewell is a courtesy.
        with contextlib.suppress(SMTPException, OSError):
            await client.quit(timeout=FAREWELL_SECONDS)
        client.close()


class _Smtp:
    def __init__(self, client: SMTP) -> None:
        self._client = client

    async def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        options = ["SMTPUTF8", "BODY=8BITMIME"] if needs_utf8(sender, recipient) else []
        if options and not self._client.supports_extension("smtputf8"):
            return Result("refused_address", "address_beyond_ascii")
        try:
            await self._client.sendmail(sender, recipient, message, mail_options=options)
        except SMTPRecipientsRefused as refused:
            return _answered(refused.recipients[0].code, "refused_address")
        except SMTPResponseException as problem:
            return _answered(problem.code, "refused_mail")
        except (SMTPException, OSError):
            # It may have taken the message: it comes again, with the same Message-ID.
            return Result("later", BROKE_OFF)
        return Result("sent")


def _answered(code: int, permanent: Fate) -> Result:
    if code == _CLOSING:
        return Result("server_away", f"smtp_{code}")
    return Result(permanent if 500 <= code < 600 else "later", f"smtp_{code}")
