"""What an operator sets for mail: the server, the address that mails come from, how many leave in a minute."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from crouter.contract.deployment import Deployment
from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.egress.mail_host import require_mail_host
from crouter.runtime.environment import Reader
from crouter.runtime.secret import Secret
from crouter.runtime.settings import is_loopback, read_environment

PER_MINUTE: Final = 600
DEVELOPMENT_FOLDER: Final = Path(".crouter", "mail")
_PORTS: Final = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
_PRINTABLE: Final = re.compile(r"[ -~]*")

Tls = Literal["implicit", "starttls", "none"]
_TLS: Final[Mapping[str, Tls]] = {"smtps": "implicit", "smtp+starttls": "starttls", "smtp": "none"}


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's own mail server. `user` and `password` are empty where it asks for none."""

    host: str
    port: int
    tls: Tls
    user: str
    password: Secret[str]


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Without a server, which only development may do, mails become files in `folder`."""

    sender: str
    server: MailServer | None
    folder: Path
    per_minute: int


def read_mail(deployment: Deployment, environ: Mapping[str, str]) -> MailSettings:
    """What sending needs. Raises SettingsError."""
    reader = Reader(environ)
    production = read_environment(reader) == "production"
    settings = MailSettings(
        sender=_sender(reader, deployment, production=production),
        server=_server(reader, deployment, production=production),
        folder=Path(reader.text("CROUTER_MAIL_FOLDER") or DEVELOPMENT_FOLDER),
        per_minute=reader.count("CROUTER_MAIL_PER_MINUTE", PER_MINUTE),
    )
    reader.give_up_on_problems()
    return settings


def _sender(reader: Reader, deployment: Deployment, *, production: bool) -> str:
    name = "CROUTER_MAIL_FROM"
    hint = "the address that mails come from, such as mail@crouter.dev"
    text = reader.required(name, hint) if production else reader.text(name) or deployment.identity.contact
    if text and not is_address(text):
        reader.problems.append(f"{name}: is not an e-mail address")
    return text


def _server(reader: Reader, deployment: Deployment, *, production: bool) -> MailServer | None:
    name = "CROUTER_SMTP_URL"
    hint = "your own mail server, smtps://USER:PASSWORD@HOST or smtp+starttls://USER:PASSWORD@HOST"
    text = reader.required(name, hint) if production else reader.text(name)
    if not text:
        return None
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    host = (url.hostname or "").lower()
    if url.scheme not in _TLS or not host or url.path not in ("", "/") or url.query or url.fragment:
        reader.problems.append(f"{name}: is {hint.partition(', ')[2]}")
        return None
    if url.scheme == "smtp" and (production or not is_loopback(host)):
        reader.problems.append(f"{name}: smtp:// sends addresses in the clear; use smtps:// or smtp+starttls://")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not (_PRINTABLE.fullmatch(user) and _PRINTABLE.fullmatch(password)):
        reader.problems.append(f"{name}: user and password are printable ASCII")
    try:
        require_mail_host(deployment, host)
    except EgressRefusedError as refusal:
        reader.problems.append(f"{name}: {refusal}")
    return MailServer(host, port or _PORTS[url.scheme], _TLS[url.scheme], user, Secret(password))


def is_address(text: str) -> bool:
    """Whether mail can be addressed to `text`: one address as RFC 5322 and RFC 6531 write it, and nothing else."""
    if any(character.isspace() or not character.isprintable() for character in text):
        return False
    # RFC 6531 lets characters beyond ASCII stand wherever a letter may; the parser knows letters only.
    plain = "".join(character if character.isascii() else "x" for character in text)
    try:
        address = Address(addr_spec=plain)
    except (ValueError, IndexError, MessageError):
        return False
    return bool(address.username and address.domain and address.addr_spec == plain)


def deliverable(text: str) -> str | None:
    """The address as it goes to a server: the host of one beyond ASCII in Punycode. None for no single address."""
    local, _, host = text.rpartition("@")
    try:
        address = f"{local}@{host if host.isascii() else host.encode('idna').decode()}"
    except UnicodeError:
        return None
    return address if is_address(address) else None
