"""Whether the service's own certificate is good: its files, its names, its end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.tls import CertificateError, ServerTls

WARNED: Final = timedelta(days=14)


async def _files(ground: Ground) -> AsyncIterator[Finding]:
    tls = ground.settings.tls if ground.settings is not None else None
    if tls is None:
        yield Finding("skipped", "the service does not speak TLS itself")
        return
    try:
        ServerTls(tls, ground.deployment.security.tls_minimum)
        certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    except (CertificateError, OSError, ValueError):
        yield Finding("failed", "CROUTER_TLS_CERTIFICATE, CROUTER_TLS_KEY: cannot be used together", "renew both files")
        return
    left = certificate.not_valid_after_utc - ground.now
    if left <= timedelta(0):
        yield Finding("failed", "the certificate has expired", "renew it; the service takes the new files by itself")
    elif left < WARNED:
        yield Finding("warning", f"the certificate ends in {left.days} days", "see why it was not renewed")
    else:
        yield Finding("ok", f"the certificate is good for {left.days} days")
    host = urlsplit(ground.url).hostname or ""
    if host in _names(certificate):
        yield Finding("ok", "the certificate names the service's host")
    else:
        yield Finding("failed", f"the certificate does not name {host}", "get one for the address that customers use")


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    }


CHECKS: Final = (Check("certificate", "whether the certificate is good", _files),)
