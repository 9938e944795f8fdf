"""What an operator sets for reconciliation. Without a key for the report, the upstream is not asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from crouter.contract.deployment import Deployment
from crouter.runtime.environment import Reader
from crouter.runtime.secret import Secret
from crouter.runtime.settings import is_loopback

ADMIN_KEY: Final = "CROUTER_ANTHROPIC_ADMIN_KEY"
ADMIN_URL: Final = "CROUTER_ANTHROPIC_ADMIN_URL"
KEY_IDS: Final = "CROUTER_ANTHROPIC_API_KEY_IDS"
_KEY = re.compile(r"[!-~]{8,400}")
_KEY_ID = re.compile(r"apikey_[A-Za-z0-9]{1,80}")


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """How the upstream's report is asked. `key_ids` are our upstream keys there; none of them means all."""

    key: Secret[str]
    origin: str
    key_ids: frozenset[str]
    production: bool


def read_report_settings(deployment: Deployment, environ: Mapping[str, str]) -> ReportSettings | None:
    """None where no key is set. Raises SettingsError."""
    reader = Reader(environ)
    settings = read_report(reader, deployment)
    reader.give_up_on_problems()
    return settings


def read_report(reader: Reader, deployment: Deployment) -> ReportSettings | None:
    """The same, with problems left with the reader."""
    if not reader.is_set(ADMIN_KEY):
        return None
    production = reader.text("CROUTER_ENVIRONMENT") != "development"
    key = reader.text(ADMIN_KEY)
    if not _KEY.fullmatch(key):
        reader.problems.append(f"{ADMIN_KEY}: is an Admin API key, sk-ant-admin…")
    key_ids = frozenset(filter(None, (part.strip() for part in reader.text(KEY_IDS).split(","))))
    if not all(_KEY_ID.fullmatch(key_id) for key_id in key_ids):
        reader.problems.append(f"{KEY_IDS}: is ids of API keys, apikey_…, with commas between them")
    return ReportSettings(Secret(key), _origin(reader, deployment, production=production), key_ids, production)


def _origin(reader: Reader, deployment: Deployment, *, production: bool) -> str:
    hosts = deployment.processor(deployment.proxy.upstream).hosts
    declared = next((f"https://{host}" for host in hosts if not host.startswith("*.")), "")
    text = reader.text(ADMIN_URL)
    if not text:
        return declared
    try:
        url = urlsplit(text)
        is_local = url.scheme == "http" and url.port is not None and is_loopback(url.hostname or "")
    except ValueError:
        is_local = False
    if production:
        reader.problems.append(f"{ADMIN_URL}: has no meaning in production; unset it")
    elif not is_local:
        reader.problems.append(f"{ADMIN_URL}: is http to a port of this machine")
    return text.rstrip("/")
