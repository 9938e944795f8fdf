"""How OpenPanel is told of an event: `POST /track` (https://openpanel.dev/docs/api/track). Does no I/O.

Nothing says who or where: no `x-client-ip`, no `user-agent`, no profile. What OpenPanel sees is the address of this
service, for every visitor the same.
"""

import json
from typing import Final

from crouter.runtime.analytics.events import Event
from crouter.runtime.analytics.settings import AnalyticsSettings

TARGET: Final = "/track"
Headers = tuple[tuple[str, str], ...]


def track_headers(settings: AnalyticsSettings) -> Headers:
    """The headers of every event."""
    return (
        ("content-type", "application/json"),
        ("openpanel-client-id", settings.client_id),
        ("openpanel-client-secret", settings.client_secret.reveal()),
    )


def track_body(event: Event) -> bytes:
    """The body of one event."""
    payload = {"name": event.name, "properties": dict(event.properties)}
    return json.dumps({"type": "track", "payload": payload}, separators=(",", ":")).encode()
