"""Whether visitors are asked before anything is measured, and what: the generated configuration for browsers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crouter.runtime.consent_records import ConsentRecords
from crouter.runtime.server.exchange import Parts

FILE: Final = Path("web", "consent.json")
RECORD: Final = "/consent"


@dataclass(frozen=True, slots=True)
class Asked:
    """What visitors are asked; `revision` names the question."""

    body: bytes
    revision: int


def asked(parts: Parts) -> Asked | None:
    """What is asked here: None where nothing is measured, or where nothing could remember an answer."""
    if parts.settings.analytics is None or parts.deployment.web.analytics is None:
        return None
    try:
        told: dict[str, Any] = json.loads((parts.generated / FILE).read_bytes())
    except OSError:
        return None
    configuration = told.get("configuration")
    if not isinstance(configuration, dict):
        return None
    analytics = parts.deployment.web.analytics
    told |= {
        "generated": "",
        "relay_path": analytics.relay_path,
        "events": {event.name: event.properties for event in analytics.events},
        "record_path": RECORD if ConsentRecords.is_declared(parts.deployment) else None,
    }
    return Asked(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), int(configuration["revision"]))
