import asyncio
import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crouter.runtime.egress.dialling import first_connected, in_turns
from crouter.runtime.egress.guard import client_tls
from tests.unit.runtime.egress.upstreams import reaching, serving

V4, V6 = socket.AF_INET, socket.AF_INET6


class Authority:
    """A certificate authority of a test, and the servers that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        made = self._build(self._name, self._key, days=10).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def server(self, *names: str, days: int = 10, self_signed: bool = False) -> ssl.SSLContext:
        """TLS of a server whose certificate is for these names and ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._build(subject, key, days, issuer=subject if self_signed else self._name).add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
        certificate = made.sign(key if self_signed else self._key, hashes.SHA256())
        path = self._folder / f"{'-'.join(names)}{days}{self_signed}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def trusting(self, minimum: str = "1.2") -> ssl.SSLContext:
        """The client's TLS as in service, and this authority beside the system's."""
        context = client_tls(minimum)
        context.load_verify_locations(cadata=self.pem)
        return context

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, issuer: x509.Name | None = None
    ) -> x509.CertificateBuilder:
        today = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=30))
            .not_valid_after(today + datetime.timedelta(days=days))
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_over_tls_an_answer_arrives_and_the_connection_is_used_again(authority: Authority) -> None:
    async with (
        serving(None, tls=authority.server("localhost")) as upstream,
        reaching(upstream.port, host="localhost", tls=authority.trusting()) as reached,
    ):
        for size in (2, 300_000, 2):
            noted = await reached.answered(body=b"x" * size)
            assert (noted.calls, noted.content) == (["head", "body", "end"], b"hi")
        spoken = upstream.writers[0].get_extra_info("ssl_object").selected_alpn_protocol()
    assert upstream.connections == 1
    assert spoken == "http/1.1"


@pytest.mark.parametrize(
    ("names", "days", "self_signed"),
    [
        (("example.org",), 10, False),
        (("localhost",), -1, False),
        (("localhost",), 10, True),
        (("127.0.0.1",), 10, False),
    ],
    ids=["another name", "expired", "self-signed", "the address only"],
)
async def test_a_server_that_cannot_prove_its_name_gets_not_a_byte(
    authority: Authority, names: tuple[str, ...], days: int, self_signed: bool
) -> None:
    tls = authority.server(*names, days=days, self_signed=self_signed)
    async with (
        serving(None, tls=tls) as upstream,
        reaching(upstream.port, host="localhost", tls=authority.trusting()) as reached,
    ):
        noted = await reached.answered(body=b"canary")
    assert noted.calls == ["broke_off"]
    assert noted.error is not None
    assert noted.error.nothing_sent
    assert upstream.requests == []


async def test_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    async with (
        serving(None, tls=authority.server("localhost")) as upstream,
        reaching(upstream.port, host="localhost", tls=client_tls("1.2")) as reached,
    ):
        noted = await reached.answered()
    assert (noted.calls, upstream.requests) == (["broke_off"], [])


async def test_an_older_tls_than_declared_is_not_spoken(authority: Authority) -> None:
    tls = authority.server("localhost")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with (
        serving(None, tls=tls) as upstream,
        reaching(upstream.port, host="localhost", tls=authority.trusting("1.3")) as reached,
    ):
        noted = await reached.answered()
    assert (noted.calls, upstream.requests) == (["broke_off"], [])


async def test_a_server_that_speaks_no_tls_gets_not_a_byte_of_a_request(authority: Authority) -> None:
    async with (
        serving(None) as upstream,
        reaching(upstream.port, host="localhost", tls=authority.trusting()) as reached,
    ):
        noted = reached.ask()
        await asyncio.sleep(0.05)
        for writer in upstream.writers:
            writer.close()
        await noted.over()
    assert noted.calls == ["broke_off"]
    assert upstream.requests == []


async def test_one_look_up_serves_many_connections_and_a_name_without_an_address_breaks_off() -> None:
    async with serving(None) as upstream, reaching(upstream.port, host="localhost") as reached:
        asked = [reached.ask() for _ in range(20)]
        for noted in asked:
            await noted.over()
            assert noted.calls == ["head", "body", "end"]
    async with reaching(1, host="no-such-name.invalid") as reached:
        noted = await reached.answered()
    assert noted.error is not None
    assert noted.error.nothing_sent


def test_families_take_turns() -> None:
    a, b, c, d = (V6, ("::1",)), (V6, ("::2",)), (V4, ("1",)), (V6, ("::3",))
    assert in_turns([a, b, c, d]) == [a, c, b, d]
    assert in_turns([c]) == [c]


async def test_an_address_that_refuses_or_never_answers_makes_way_for_the_next() -> None:
    async with serving(None) as upstream:
        with socket.socket() as refusing, socket.socket() as full, socket.socket() as waiting:
            refusing.bind(("127.0.0.1", 0))
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting.connect(full.getsockname())
            addresses = [(V4, s.getsockname()) for s in (refusing, full)]
            opened = await first_connected([*addresses, (V4, ("127.0.0.1", upstream.port))])
            assert opened.getpeername()[1] in (upstream.port, full.getsockname()[1])
            opened.close()
            with pytest.raises(ConnectionRefusedError):
                await first_connected(addresses[:1])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
