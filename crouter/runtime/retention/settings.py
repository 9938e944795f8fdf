"""What an operator sets for retention: the database, and nothing else. Keys are not for this process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from crouter.runtime.secret import Secret
from crouter.runtime.settings import TRANSACTION_POOLER_PORT, SettingsError


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """`database_url` leads to sessions: locks and roles outlive a transaction."""

    database_url: Secret[str]


def read_retention_settings(environ: Mapping[str, str]) -> RetentionSettings:
    """DATABASE_URL, or the content of DATABASE_URL_FILE. Raises SettingsError."""
    url = _database_url(environ)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("postgresql", "postgres"):
        raise SettingsError(("DATABASE_URL: is not an address that starts with postgresql://",))
    pooler = environ.get("CROUTER_DATABASE_POOLER", "").strip()
    if pooler == "transaction" or (not pooler and port == TRANSACTION_POOLER_PORT):
        raise SettingsError(
            (
                "DATABASE_URL: leads to a transaction pooler, and retention needs a session: give it the address of "
                "the session pooler (Supabase: the same host, port 5432) or of the server",
            )
        )
    return RetentionSettings(Secret(url))


def _database_url(environ: Mapping[str, str]) -> str:
    value, path = environ.get("DATABASE_URL", "").strip(), environ.get("DATABASE_URL_FILE", "").strip()
    if value and path:
        raise SettingsError(("DATABASE_URL: set DATABASE_URL or DATABASE_URL_FILE, not both",))
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(("DATABASE_URL_FILE: the file cannot be read as text",)) from None
    if not value:
        raise SettingsError(("DATABASE_URL: not set; a PostgreSQL address, postgresql://USER:PASSWORD@HOST/DATABASE",))
    return value
