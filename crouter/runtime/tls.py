"""TLS as a server speaks it: what is offered to clients, with a certificate that can be renewed in place.

Opens no connection: who listens is `crouter.runtime.server.listening`. What is asked of others is
`crouter.runtime.egress.guard`.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_Stamp = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """The certificate cannot be used; the message names the setting and never what a file holds."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Where the certificate is (PEM, with its chain) and its key (PEM, without a passphrase)."""

    certificate: Path
    key: Path


class ServerTls:
    """The context that a listener gets. `reload` renews its certificate for new connections; others go on."""

    def __init__(self, settings: TlsSettings, minimum: str) -> None:
        """Raises CertificateError."""
        self._settings = settings
        self._minimum = minimum
        self._stamp = _stamp(settings)
        # A listener keeps the context that it began with, so that one hands each connection to the newest.
        self.context = self._newest = _loaded(settings, minimum)
        self.context.sni_callback = self._choose

    def has_changed(self) -> bool:
        """Whether the files are not those of the last look; one that is missing at the moment is no change."""
        stamp = _stamp(self._settings)
        return bool(stamp) and stamp != self._stamp

    def reload(self) -> None:
        """Takes the files as they are now. Raises CertificateError and leaves everything as it was."""
        self._stamp = _stamp(self._settings)
        self._newest = _loaded(self._settings, self._minimum)

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, base: ssl.SSLContext) -> None:
        # Called in every handshake, also by clients that name no server.
        del name, base
        connection.context = self._newest


def _loaded(settings: TlsSettings, minimum: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[minimum]
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a passphrase would have OpenSSL ask at the terminal.
        context.load_cert_chain(settings.certificate, settings.key, password=_no_passphrase)
    except (OSError, ValueError):
        raise CertificateError(
            "CROUTER_TLS_CERTIFICATE, CROUTER_TLS_KEY: these have to be readable PEM files, a certificate with its "
            "chain and the key that belongs to it, without a passphrase"
        ) from None
    return context


def _no_passphrase() -> str:
    raise ValueError


def _stamp(settings: TlsSettings) -> _Stamp:
    try:
        found = [path.stat() for path in (settings.certificate, settings.key)]
    except OSError:
        return ()
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
