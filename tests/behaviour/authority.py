"""A certificate authority for one test, and certificates that it signs."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Signs for any name. Whoever trusts `client()` believes what it signed, and nobody else."""

    name: str = "An authority for tests"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def issue(self, folder: Path, *names: str) -> tuple[Path, Path]:
        """Writes `certificate.pem` and `key.pem` for the names, one after the other; gives their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(names[0], key.public_key(), names)
        return write_pair(folder, certificate.public_bytes(serialization.Encoding.PEM), _pem(key))

    def file(self, folder: Path) -> Path:
        """The authority's own certificate, for those who are to trust it."""
        path = folder / "authority.pem"
        path.write_bytes(self._own().public_bytes(serialization.Encoding.PEM))
        return path

    def client(self) -> ssl.SSLContext:
        """Trusts this authority alone."""
        return ssl.create_default_context(
            cadata=self._own().public_bytes(serialization.Encoding.PEM).decode(),
        )

    def _own(self) -> x509.Certificate:
        return self._signed(self.name, self.key.public_key(), ())

    def _signed(self, subject: str, key: ec.EllipticCurvePublicKey, names: tuple[str, ...]) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
        return builder.sign(self.key, hashes.SHA256())


def write_pair(folder: Path, certificate: bytes, key: bytes) -> tuple[Path, Path]:
    """Both files, as a tool that renews certificates writes them: in place, the key for its owner only."""
    folder.mkdir(exist_ok=True)
    paths = folder / "certificate.pem", folder / "key.pem"
    for path, text in zip(paths, (certificate, key), strict=True):
        path.write_bytes(text)
        path.chmod(0o600)
    return paths


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
