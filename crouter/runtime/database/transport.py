"""Whether the way to the database is encrypted: a rule about its address. Opens no connection."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from crouter.runtime.loopback import is_loopback

Transport = Literal["local", "plain", "encrypted", "verified"]

_ENCRYPTED: Final = frozenset({"require", "verify-ca"})


def database_transport(url: str, environ: Mapping[str, str]) -> Transport:
    """How the driver will reach a database: not leaving this machine, or as libpq's `sslmode` says.

    `encrypted` keeps the content from listeners, and believes whoever answers; `verified` knows who that is. Without a
    mode libpq tries TLS and does without it: that is `plain`. An address that cannot be read is `plain`.
    """
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        return "plain"
    hosts = _listed(given.get("hostaddr") or given.get("host") or environ.get("PGHOSTADDR") or environ.get("PGHOST"))
    if all(_is_local(host) for host in hosts):
        return "local"
    mode = given.get("sslmode") or environ.get("PGSSLMODE") or "prefer"
    if mode == "verify-full":
        return "verified"
    return "encrypted" if mode in _ENCRYPTED else "plain"


def _listed(hosts: object) -> Sequence[str]:
    # Without a host libpq takes the socket of this machine; several stand with commas between them.
    return str(hosts).split(",") if hosts else [""]


def _is_local(host: str) -> bool:
    return host.startswith(("/", "@")) or not host or is_loopback(host)
