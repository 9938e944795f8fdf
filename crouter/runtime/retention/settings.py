"""What an operator sets for retention: the database, and nothing else. Keys are not for this process."""

from collections.abc import Mapping
from dataclasses import dataclass

from crouter.runtime.environment import SettingsError
from crouter.runtime.secret import Secret
from crouter.runtime.settings import read_database_settings


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """`database_url` leads to sessions: locks and roles outlive a transaction."""

    database_url: Secret[str]


def read_retention_settings(environ: Mapping[str, str]) -> RetentionSettings:
    """The database of the service, which must not lead through a transaction pooler. Raises SettingsError."""
    database = read_database_settings(environ)
    if database.transaction_pooler:
        raise SettingsError(
            (
                "DATABASE_URL: leads to a transaction pooler, and retention needs a session: give it the address of "
                "the session pooler (Supabase: the same host, port 5432) or of the server",
            )
        )
    return RetentionSettings(database.database_url)
