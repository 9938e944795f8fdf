"""What an operator sets: read from the environment, once, in one place.

Every variable NAME may be given as NAME_FILE instead, the path of a file that holds the value. What the
policy decides is not set here. Problems are collected and told all at once; they name variables, never values.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.runtime.analytics.settings import AnalyticsSettings, read_analytics
from crouter.runtime.compiled.use import INTERPRETED
from crouter.runtime.database.transport import database_transport
from crouter.runtime.environment import KeyRing, Reader
from crouter.runtime.erasure.settings import TombstoneSettings, read_tombstones, require_tombstones
from crouter.runtime.fleet.settings import FleetSettings, read_fleet
from crouter.runtime.identity.settings import IdentitySettings, read_identity
from crouter.runtime.loopback import is_loopback as is_loopback  # asked for here by whoever reads settings
from crouter.runtime.names import ERASURE, SESSION
from crouter.runtime.payments.settings import PaymentSettings, read_payments
from crouter.runtime.secret import Secret
from crouter.runtime.tls import TlsSettings

Environment = Literal["development", "production"]
JournalSync = Literal["grouped", "always"]

DEFAULT_LISTEN: Final = "127.0.0.1:8080"
DEVELOPMENT_JOURNAL: Final = Path(".crouter", "journal")
EDGE_SECRET_CHARS_MIN: Final = 32
TRANSACTION_POOLER_PORT: Final = 6543
PROCESSES_MAX: Final = 128
SUPABASE: Final = "supabase"
REQUESTS_MAX: Final = 4096
ACCOUNT_REQUESTS_MAX: Final = 2048
_HEADER_VALUE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is; `transaction_pooler` says that no session state lasts beyond a transaction."""

    database_url: Secret[str]
    transaction_pooler: bool


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What is needed to reach accounts and keys; `transaction_pooler` switches session state off."""

    database_url: Secret[str]
    transaction_pooler: bool
    sealing: KeyRing
    lookup: KeyRing
    tombstones: TombstoneSettings | None = None
    """Where deletions are remembered beside the database; only development may do without."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides. `development_account` is shown on the development dashboard."""

    environment: Environment
    host: str
    port: int
    store: StoreSettings
    upstream_url: str
    upstream_keys: tuple[Secret[str], ...]
    """In the order that was given; elsewhere they are called key_1, key_2, …"""
    requests_max: int
    """How many requests a process has under way at once; as many connections to the upstream may be open."""
    account_requests_max: int
    identity: IdentitySettings
    payments: PaymentSettings | None = None
    """How payments are taken; None where nothing is for sale."""
    receipts: KeyRing | None = None
    """What receipts are signed with; only development may do without."""
    edge_secret: Secret[str] | None = None
    edge_secret_retiring: Secret[str] | None = None
    """The one before, accepted while the edge is being given the new one."""
    development_account: uuid.UUID | None = None
    journal: Path = DEVELOPMENT_JOURNAL
    """The folder in which each process keeps its journal; on a disk of this machine."""
    journal_sync: JournalSync = "grouped"
    """Whether each record waits for the medium, or many at once."""
    processes: int | None = None
    """How many processes share the port, under a supervisor; None for this one alone."""
    analytics: AnalyticsSettings | None = None
    """As whom events are sent; None for measuring nothing at all."""
    tls: TlsSettings | None = None
    """The certificate, where the service itself speaks TLS."""
    plain_listen: tuple[str, int] | None = None
    """Where requests in plain HTTP are turned away or sent on to https, beside TLS."""
    fleet: FleetSettings | None = None
    """Where machines count together against the limits of keys; None where each machine counts for itself."""

    @property
    def upstream_key(self) -> Secret[str]:
        """The first one, for what does not choose."""
        return self.upstream_keys[0]

    @property
    def production(self) -> bool:
        return self.environment == "production"


def read_database_settings(environ: Mapping[str, str]) -> DatabaseSettings:
    """The database alone, for what needs no keys. Raises SettingsError."""
    reader = Reader(environ)
    settings = _database(reader)
    reader.give_up_on_problems()
    return settings


def read_store_settings(environ: Mapping[str, str]) -> StoreSettings:
    """What commands need that work on accounts and keys. Raises SettingsError."""
    reader = Reader(environ)
    store = _store(reader)
    reader.give_up_on_problems()
    return store


def read_journal_folder(environ: Mapping[str, str]) -> Path:
    """Where the processes of a service keep their journals. Raises SettingsError."""
    reader = Reader(environ)
    folder = _journal(reader, read_environment(reader), _database(reader).database_url)
    reader.give_up_on_problems()
    return folder


def read_settings(deployment: Deployment, environ: Mapping[str, str]) -> Settings:
    """What the service needs. Raises SettingsError."""
    reader = Reader(environ)
    environment = read_environment(reader)
    _require_known_form(reader)
    host, port = _listen(reader)
    store = _store(reader)
    production = environment == "production"
    if production and any(record.name == ERASURE for record in deployment.records):
        require_tombstones(reader)
    tls = _tls(reader)
    receipts = _receipts(reader, store, is_required=production)
    settings = Settings(
        environment=environment,
        host=host,
        port=port,
        store=store,
        upstream_url=_upstream_url(reader, deployment.processor(deployment.proxy.upstream), environment),
        upstream_keys=_upstream_keys(reader),
        requests_max=reader.count("CROUTER_REQUESTS_MAX", REQUESTS_MAX),
        account_requests_max=reader.count("CROUTER_ACCOUNT_REQUESTS_MAX", ACCOUNT_REQUESTS_MAX),
        identity=read_identity(
            reader,
            identity_processor(deployment),
            (store.sealing, store.lookup, *((receipts,) if receipts else ())),
            production=production,
        ),
        payments=read_payments(reader, deployment, production=production),
        receipts=receipts,
        edge_secret=_edge_secret(reader, "CROUTER_EDGE_SECRET", is_required=production and tls is None),
        edge_secret_retiring=_edge_secret(reader, "CROUTER_EDGE_SECRET_RETIRING", is_required=False),
        development_account=_development_account(reader, environment),
        journal=_journal(reader, environment, store.database_url),
        journal_sync=_journal_sync(reader),
        processes=_processes(reader),
        analytics=read_analytics(reader, analytics_processor(deployment), production=production),
        tls=tls,
        plain_listen=_plain_listen(reader, tls),
        fleet=read_fleet(reader, deployment.proxy.limit_store_hosts, production=production),
    )
    reader.give_up_on_problems()
    return settings


def analytics_processor(deployment: Deployment) -> Processor | None:
    """Who receives what is measured on pages; None where the policy measures nothing."""
    analytics = deployment.web.analytics
    return None if analytics is None else deployment.processor(analytics.processor)


def identity_processor(deployment: Deployment) -> Processor | None:
    """Who tells who people are; None where the policy keeps no sessions, so that nobody can sign in."""
    if not any(record.name == SESSION for record in deployment.records):
        return None
    return next((processor for processor in deployment.processors if processor.name == SUPABASE), None)


def _is_production(reader: Reader) -> bool:
    return reader.environ.get("CROUTER_ENVIRONMENT", "").strip() != "development"


def read_environment(reader: Reader) -> Environment:
    """Production unless it is said to be development."""
    match reader.text("CROUTER_ENVIRONMENT"):
        case "development":
            return "development"
        case "" | "production":
            return "production"
        case _:
            reader.problems.append("CROUTER_ENVIRONMENT: is development or production")
            return "production"


def _listen(reader: Reader) -> tuple[str, int]:
    return _address(reader, "CROUTER_LISTEN", reader.text("CROUTER_LISTEN") or DEFAULT_LISTEN)


def _address(reader: Reader, name: str, text: str) -> tuple[str, int]:
    address = _split(f"//{text}")
    if address is None or address.hostname is None or address.port is None or address.path:
        reader.problems.append(f"{name}: is HOST:PORT, such as {DEFAULT_LISTEN}")
        return "127.0.0.1", 0
    return address.hostname, address.port


def _tls(reader: Reader) -> TlsSettings | None:
    given = {name: reader.environ.get(name, "").strip() for name in ("CROUTER_TLS_CERTIFICATE", "CROUTER_TLS_KEY")}
    if not any(given.values()):
        return None
    for name, path in given.items():
        if not path:
            reader.problems.append(f"{name}: not set; certificate and key are the paths of two PEM files")
    return TlsSettings(*(Path(path) for path in given.values()))


def _plain_listen(reader: Reader, tls: TlsSettings | None) -> tuple[str, int] | None:
    name = "CROUTER_LISTEN_PLAIN"
    text = reader.text(name)
    if not text:
        return None
    if tls is None:
        reader.problems.append(f"{name}: has no meaning without CROUTER_TLS_CERTIFICATE")
    return _address(reader, name, text)


def _database(reader: Reader) -> DatabaseSettings:
    url = reader.required("DATABASE_URL", "a PostgreSQL address, postgresql://USER:PASSWORD@HOST/DATABASE")
    parts = _split(url)
    if url and (parts is None or parts.scheme not in ("postgresql", "postgres")):
        reader.problems.append("DATABASE_URL: is not an address that starts with postgresql://")
    elif url and _is_production(reader) and database_transport(url, reader.environ) == "plain":
        reader.problems.append(
            "DATABASE_URL: may send everything in plain text; add ?sslmode=verify-full&sslrootcert=FILE "
            "(or sslmode=require, which encrypts but believes whoever answers)"
        )
    pooler = reader.text("CROUTER_DATABASE_POOLER")
    if pooler not in ("", "transaction", "session"):
        reader.problems.append("CROUTER_DATABASE_POOLER: is transaction or session")
    by_port = parts is not None and parts.port == TRANSACTION_POOLER_PORT and pooler == ""
    return DatabaseSettings(Secret(url), pooler == "transaction" or by_port)


def _store(reader: Reader) -> StoreSettings:
    database = _database(reader)
    sealing, lookup = reader.key_ring("CROUTER_SEALING_KEYS"), reader.key_ring("CROUTER_LOOKUP_KEYS")
    if {key.key for key in sealing.keys} & {key.key for key in lookup.keys}:
        reader.problems.append("CROUTER_LOOKUP_KEYS: holds a key of CROUTER_SEALING_KEYS; each purpose has its own")
    return StoreSettings(
        database_url=database.database_url,
        transaction_pooler=database.transaction_pooler,
        sealing=sealing,
        lookup=lookup,
        tombstones=read_tombstones(reader, (sealing, lookup)),
    )


def _receipts(reader: Reader, store: StoreSettings, *, is_required: bool) -> KeyRing | None:
    name = "CROUTER_RECEIPT_KEYS"
    if not is_required and not reader.is_set(name):
        return None
    ring = reader.key_ring(name)
    if {key.key for key in ring.keys} & {key.key for key in (*store.sealing.keys, *store.lookup.keys)}:
        reader.problems.append(f"{name}: holds a key that seals or finds API keys; each purpose has its own")
    return ring


def _upstream_url(reader: Reader, processor: Processor, environment: Environment) -> str:
    name = "CROUTER_UPSTREAM_URL"
    declared = next((host for host in processor.hosts if not host.startswith("*.")), None)
    text = reader.text(name) or (f"https://{declared}" if declared else "")
    url = _split(text)
    if url is None or url.hostname is None or url.path not in ("", "/") or url.query or url.fragment or url.username:
        reader.problems.append(f"{name}: is a scheme and a host, such as https://HOST")
    elif url.scheme == "https" and processor.owns(url.hostname):
        return f"https://{url.netloc}"
    elif url.scheme == "http" and environment == "development" and is_loopback(url.hostname):
        return f"http://{url.netloc}"
    else:
        reader.problems.append(
            f"{name}: has to be https to a host that policy.yaml declares for {processor.name} "
            "(in development, plain http to this machine is allowed, too)"
        )
    return ""


def _upstream_keys(reader: Reader) -> tuple[Secret[str], ...]:
    name = "ANTHROPIC_API_KEY"
    text = reader.required(name, "the upstream's key, or several with commas between them")
    keys = [part.strip() for part in text.split(",")] if text else []
    if not all(_HEADER_VALUE.fullmatch(key) for key in keys):
        reader.problems.append(f"{name}: every key is printable characters without spaces, with commas between keys")
    if len(set(keys)) < len(keys):
        reader.problems.append(f"{name}: holds a key twice")
    return tuple(Secret(key) for key in keys)


def _edge_secret(reader: Reader, name: str, *, is_required: bool) -> Secret[str] | None:
    hint = (
        "the secret that the edge Worker signs every request with (its EDGE_SECRET); "
        "a service without an edge needs CROUTER_TLS_CERTIFICATE and CROUTER_TLS_KEY"
    )
    value = reader.required(name, hint) if is_required else reader.text(name)
    if value and len(value) < EDGE_SECRET_CHARS_MIN:
        reader.problems.append(f"{name}: has fewer than {EDGE_SECRET_CHARS_MIN} characters")
    return Secret(value) if value else None


def _development_account(reader: Reader, environment: Environment) -> uuid.UUID | None:
    name = "CROUTER_DEVELOPMENT_ACCOUNT"
    value = reader.text(name)
    if not value:
        return None
    if environment == "production":
        reader.problems.append(f"{name}: has no meaning in production; unset it")
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        reader.problems.append(f"{name}: is not a UUID")
        return None


def _journal(reader: Reader, environment: Environment, database_url: Secret[str]) -> Path:
    name = "CROUTER_JOURNAL"
    if environment == "production":
        hint = "a folder on a local disk that outlives the process, such as /var/lib/crouter/journal"
        return Path(reader.required(name, hint))
    told = reader.text(name)
    if told:
        return Path(told)
    # One for each database: records of one must not be shipped into another.
    parts = _split(database_url.reveal())
    place = f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}" if parts is not None else ""
    return DEVELOPMENT_JOURNAL / hashlib.sha256(place.encode()).hexdigest()[:16]


def _journal_sync(reader: Reader) -> JournalSync:
    match reader.text("CROUTER_JOURNAL_SYNC"):
        case "always":
            return "always"
        case "" | "grouped":
            return "grouped"
        case _:
            reader.problems.append("CROUTER_JOURNAL_SYNC: is grouped or always")
            return "grouped"


def _processes(reader: Reader) -> int | None:
    name = "CROUTER_PROCESSES"
    value = reader.text(name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= PROCESSES_MAX):
        reader.problems.append(f"{name}: is a number from 1 to {PROCESSES_MAX}, one for each core as a rule")
        return None
    return int(value)


def _require_known_form(reader: Reader) -> None:
    """What it says was followed before anything could be told: `crouter.runtime.compiled.use`."""
    if reader.text(INTERPRETED) not in ("", "1"):
        reader.problems.append(f"{INTERPRETED}: is 1, or not set")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed, and refused, only when it is read
    except ValueError:
        return None
    return parts
