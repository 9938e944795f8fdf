"""TLS is verified or nothing is handed over; a login is made where one is asked for."""

import ssl
from pathlib import Path

import pytest

from crouter.runtime.egress.guard import verifying_tls
from crouter.runtime.mail.settings import MailServer, Tls
from crouter.runtime.mail.smtp import Result, ServerAwayError, connected
from crouter.runtime.secret import Secret
from tests.contract.smtp.server import mail_server
from tests.unit.runtime.egress.test_dialling import Authority

SENDER, READER, MESSAGE = "mail@crouter.dev", "ada@example.org", b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_at(port: int, tls: Tls, user: str = "", password: str = "") -> MailServer:
    return MailServer("localhost", port, tls, user, Secret(password))


def trusting(authority: Authority) -> ssl.SSLContext:
    context = verifying_tls("1.2")
    context.load_verify_locations(cadata=authority.pem)
    return context


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_a_message_goes_over_verified_tls(tls: Tls, authority: Authority) -> None:
    async with (
        mail_server(tls=authority.server("localhost"), starttls=tls == "starttls") as sink,
        connected(server_at(sink.port, tls), trusting(authority), "crouter.dev") as carrier,
    ):
        assert await carrier.carry(SENDER, READER, MESSAGE) == Result("sent")
    (accepted,) = sink.accepted
    assert accepted.encrypted
    assert accepted.recipients == (READER,)


@pytest.mark.claim("security-https", by="https_only")
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another name", "expired"])
async def test_security_https__a_certificate_that_does_not_verify_gets_no_mail(
    tls: Tls, fault: str, authority: Authority
) -> None:
    name, days = ("other.example", 10) if fault == "another name" else ("localhost", -1 if fault == "expired" else 10)
    trusted = verifying_tls("1.2") if fault == "unknown authority" else trusting(authority)
    async with mail_server(tls=authority.server(name, days=days), starttls=tls == "starttls") as sink:
        with pytest.raises(ServerAwayError) as away:
            async with connected(server_at(sink.port, tls), trusted, "crouter.dev") as carrier:
                await carrier.carry(SENDER, READER, MESSAGE)
    assert away.value.error == "smtp_unreachable"
    assert sink.accepted == []


async def test_a_server_without_starttls_gets_no_mail_where_it_was_asked_for(authority: Authority) -> None:
    async with mail_server() as sink:
        with pytest.raises(ServerAwayError):
            async with connected(server_at(sink.port, "starttls"), trusting(authority), "crouter.dev"):
                pass
    assert sink.accepted == []


@pytest.mark.parametrize(("password", "known"), [("right", True), ("wrong", False)])
async def test_who_may_send_says_who_it_is(password: str, known: bool, authority: Authority) -> None:
    async with mail_server(tls=authority.server("localhost"), starttls=True, login=("crouter", "right")) as sink:
        server = server_at(sink.port, "starttls", "crouter", password)
        if known:
            async with connected(server, trusting(authority), "crouter.dev") as carrier:
                assert await carrier.carry(SENDER, READER, MESSAGE) == Result("sent")
            assert sink.accepted[0].user == "crouter"
        else:
            with pytest.raises(ServerAwayError) as away:
                async with connected(server, trusting(authority), "crouter.dev"):
                    pass
            assert away.value.error == "smtp_login_refused"
            assert password not in str(away.value)


async def test_nobody_listening_is_a_server_that_is_away() -> None:
    async with mail_server() as sink:
        port = sink.port
    with pytest.raises(ServerAwayError) as away:
        async with connected(server_at(port, "none"), verifying_tls("1.2"), "crouter.dev"):
            pass
    assert away.value.error == "smtp_unreachable"
