"""Decides which mail server may be reached, and opens the connection to it.

The operator's own server is one that stands under the service's own domain or on this machine. Any other one belongs to
somebody who then knows the addresses: a processor, which has to be declared with its host, to receive the address and
for every purpose of the mails.
"""

import socket
from urllib.parse import urlsplit

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.contract.mail import Mail
from crouter.runtime.egress.dialling import Dialler, Origin
from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.settings import is_loopback


def require_mail_host(deployment: Deployment, host: str) -> None:
    """Raises EgressRefusedError unless mails may be handed to the server `host` (lower case)."""
    own = urlsplit(deployment.identity.url).hostname or ""
    if is_loopback(host) or host == own or host.endswith(f".{own}"):
        return
    mail = deployment.mail
    assert mail is not None, "who sends no mail asks for no server"
    if not any(_receives(processor, mail) for processor in deployment.processors if processor.owns(host)):
        raise EgressRefusedError(
            f"the mail server is neither this machine nor below {own}, and policy.yaml declares no processor at that "
            f"host that receives {mail.record}.{mail.address} for the purposes of the mails: a mail service is one"
        )


async def open_mail_socket(host: str, port: int) -> socket.socket:
    """A connected socket. Raises OSError, TimeoutError."""
    return await Dialler(Origin(host, port, tls=None)).open()


def _receives(processor: Processor, mail: Mail) -> bool:
    purposes = {template.purpose for template in mail.templates}
    fields = (mail.record, f"{mail.record}.{mail.address}")
    return purposes <= set(processor.purposes) and any(field in processor.receives for field in fields)
