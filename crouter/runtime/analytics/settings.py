"""What an operator sets about analytics: the client that the processor knows us by. Without it nothing is measured."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from crouter.contract.destinations import Processor
from crouter.runtime.environment import Reader
from crouter.runtime.loopback import is_loopback
from crouter.runtime.secret import Secret

CLIENT_ID: Final = "CROUTER_OPENPANEL_CLIENT_ID"
CLIENT_SECRET: Final = "CROUTER_OPENPANEL_CLIENT_SECRET"  # noqa: S105  the name of a variable
URL: Final = "CROUTER_OPENPANEL_URL"
_HEADER_VALUE: Final = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class AnalyticsSettings:
    """Where events go, and as whom."""

    url: str
    client_id: str
    client_secret: Secret[str]


def read_analytics(reader: Reader, processor: Processor | None, *, production: bool) -> AnalyticsSettings | None:
    """`processor` is who the policy declares for analytics. None where nothing is to be measured.

    Problems are left with the reader.
    """
    if processor is None or not any(reader.is_set(name) for name in (CLIENT_ID, CLIENT_SECRET, URL)):
        return None
    client_id = reader.required(CLIENT_ID, "the id of a client of your OpenPanel project")
    client_secret = reader.required(CLIENT_SECRET, "the secret of that client, which its server events need")
    for name, value in ((CLIENT_ID, client_id), (CLIENT_SECRET, client_secret)):
        if value and not _HEADER_VALUE.fullmatch(value):
            reader.problems.append(f"{name}: is printable characters without spaces")
    return AnalyticsSettings(_url(reader, processor, production=production), client_id, Secret(client_secret))


def _url(reader: Reader, processor: Processor, *, production: bool) -> str:
    declared = next((host for host in processor.hosts if not host.startswith("*.")), None)
    text = reader.text(URL) or (f"https://{declared}" if declared else "")
    try:
        parts = urlsplit(text)
        _ = parts.port  # parsed, and refused, only when it is read
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if is_bare and parts.scheme == "https" and processor.owns(host):
        return f"https://{parts.netloc}"
    if is_bare and parts.scheme == "http" and not production and is_loopback(host):
        return f"http://{parts.netloc}"
    reader.problems.append(
        f"{URL}: has to be https to a host that policy.yaml declares for {processor.name} "
        "(in development, plain http to this machine is allowed, too)"
    )
    return ""
