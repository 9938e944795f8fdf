"""A rendered mail as the bytes that leave: RFC 5322 with both forms, marked as sent by a machine (RFC 3834).

Headers cannot be injected: `EmailMessage` refuses a header with a line break, and an address is one address or none.
"""

import uuid
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from crouter.runtime.mail.rendering import RenderedMail


def compose(mail: uuid.UUID, name: str, sender: str, recipient: str, rendered: RenderedMail, at: datetime) -> bytes:
    """The message. It has the same Message-ID whenever the same mail is composed, so that a repeat is known as one.

    `name` is the service's, `sender` and `recipient` are addresses as `is_address` wants them. Raises ValueError.
    """
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8(sender, recipient) else SMTP)
    message["From"] = _address(sender, name)
    message["To"] = _address(recipient)
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    # A boundary of chance would make two of the same mail.
    message.set_boundary(f"=_{mail.hex}")
    return message.as_bytes()


def _address(text: str, name: str = "") -> Address:
    local, _, host = text.rpartition("@")
    return Address(name, local, host)


def needs_utf8(*addresses: str) -> bool:
    """Whether the server has to take addresses beyond ASCII (RFC 6531)."""
    return not all(address.isascii() for address in addresses)
