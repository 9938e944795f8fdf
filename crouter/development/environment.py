"""The settings of a development run, for commands that work on its accounts and keys beside it."""

from crouter.development.secrets import read_secrets
from crouter.development.state_folder import StateFolder
from crouter.runtime.erasure.settings import PATH as TOMBSTONES


def development_settings(folder: StateFolder) -> dict[str, str] | None:
    """Database address and key settings of the last run; None where there was none. Raises DevelopmentError."""
    facts, secrets = folder.read_facts(), read_secrets(folder)
    if facts is None or secrets is None:
        return None
    tombstones = {TOMBSTONES: str(folder.tombstones_file)} if folder.tombstones_file.exists() else {}
    return {"DATABASE_URL": facts.database_url, **secrets, **tombstones}
