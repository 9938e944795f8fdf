"""Where the store of shared limits is: `CROUTER_REDIS_URL`. Without it, a machine keeps its limits for itself."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from crouter.runtime.environment import Reader
from crouter.runtime.secret import Secret

NAME = "CROUTER_REDIS_URL"


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """An address such as `rediss://:PASSWORD@HOST:6379/0`; it may hold a password."""

    url: Secret[str]


def read_fleet(reader: Reader, hosts: tuple[str, ...], *, production: bool) -> FleetSettings | None:
    """None where nothing is set. `hosts` are those that policy.yaml declares for the store.

    TLS and a declared host are required, but for this machine in development.
    """
    text = reader.text(NAME)
    if not text:
        return None
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        reader.problems.append(f"{NAME}: is an address such as rediss://:PASSWORD@HOST:6379/0")
        return None
    if url.scheme not in ("rediss", "redis") or not host or url.query or url.fragment:
        reader.problems.append(f"{NAME}: is an address such as rediss://:PASSWORD@HOST:6379/0, without a query")
    elif not production and _is_loopback(host):
        return FleetSettings(Secret(text))
    elif url.scheme != "rediss":
        reader.problems.append(f"{NAME}: has to begin with rediss://, so that counts travel encrypted")
    elif not any(_owns(pattern, host) for pattern in hosts):
        reader.problems.append(f"{NAME}: names a host that policy.yaml does not declare in proxy.limits.store_hosts")
    else:
        return FleetSettings(Secret(text))
    return None


def _owns(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
