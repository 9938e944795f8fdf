"""Keeps the certificate of a running service up to date: renewed files are taken without a restart.

Connections that exist go on with what they began with. Files that cannot be used are told, and the old ones stay.
"""

import asyncio
from typing import Final

from crouter.runtime.logs import Log
from crouter.runtime.tls import CertificateError, ServerTls

LOOK_SECONDS: Final = 5.0


class Certificates:
    """Looks at the files again and again; `renew` looks at once, whether they have changed or not."""

    def __init__(self, tls: ServerTls, log: Log, pause: float = LOOK_SECONDS) -> None:
        self._tls = tls
        self._log = log
        self._pause = pause

    def renew(self) -> None:
        """Take the files as they are now."""
        try:
            self._tls.reload()
        except CertificateError:
            self._log.error("certificate_refused")
        else:
            self._log.info("certificate_loaded")

    async def watch(self) -> None:
        """Take files that have changed, until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            # One file is written after the other: what changed just now may not be complete before the next look.
            if self._tls.has_changed():
                await asyncio.sleep(min(1.0, self._pause))
                self.renew()
