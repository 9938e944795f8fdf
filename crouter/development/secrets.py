"""The keys of a development run: made once, kept in one file, so that they come and go together.

The file has a line NAME=VALUE for each, named as the service's settings are. Keys that seal and find API keys belong to
what the database holds; those that sign receipts and keep sessions can be added to a file that was made without them.
"""

import base64
import secrets

from crouter.development.errors import DevelopmentError
from crouter.development.state_folder import StateFolder
from crouter.runtime.environment import KEY_BYTES

NAMES = ("CROUTER_SEALING_KEYS", "CROUTER_LOOKUP_KEYS")
LATER_NAMES = ("CROUTER_TOMBSTONE_KEYS", "CROUTER_RECEIPT_KEYS", "CROUTER_SESSION_KEYS")


def read_secrets(folder: StateFolder) -> dict[str, str] | None:
    """The settings of the file, by name; None if there is no file. Raises DevelopmentError."""
    try:
        text = folder.secrets_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise DevelopmentError(f"{folder.secrets_file} cannot be read ({type(problem).__name__})") from problem
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    missing = [name for name in NAMES if not found.get(name)]
    if missing:
        raise DevelopmentError(
            f"{folder.secrets_file} does not hold {' and '.join(missing)}",
            "move the file away: new keys are made, and a new development API key with them",
        )
    return {name: found[name] for name in (*NAMES, *LATER_NAMES) if found.get(name)}


def ensure_secrets(folder: StateFolder) -> dict[str, str]:
    """The settings of the file, in which what is not there yet is made. Raises DevelopmentError."""
    present = read_secrets(folder) or {}
    missing = [name for name in (*NAMES, *LATER_NAMES) if name not in present]
    if not missing:
        return present
    made = {**present, **{name: f"1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}" for name in missing}}
    folder.write_private(folder.secrets_file, "".join(f"{name}={value}\n" for name, value in made.items()))
    return made
