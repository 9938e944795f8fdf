import asyncio
import io
from pathlib import Path

import pytest

from crouter.runtime.logs import Log
from crouter.runtime.server.certificates import Certificates
from crouter.runtime.tls import CertificateError, ServerTls, TlsSettings
from tests.behaviour.authority import Authority, write_pair
from tests.unit.runtime.declarations import SERVICE_LOG


async def until_told(out: io.StringIO, event: str) -> None:
    async with asyncio.timeout(5):
        while event not in out.getvalue():  # noqa: ASYNC110 - a log tells nobody that it grew
            await asyncio.sleep(0.01)


async def test_files_that_have_changed_are_taken_and_broken_ones_are_told_and_left(tmp_path: Path) -> None:
    authority, out = Authority(), io.StringIO()
    settings = TlsSettings(*authority.issue(tmp_path, "localhost"))
    tls = ServerTls(settings, "1.2")
    watching = asyncio.create_task(Certificates(tls, Log(SERVICE_LOG, out), pause=0.01).watch())
    try:
        await asyncio.sleep(0.05)
        assert out.getvalue() == ""
        authority.issue(tmp_path, "localhost")
        await until_told(out, '"certificate_loaded"')
        write_pair(tmp_path, b"hidden-word", b"hidden-word")
        await until_told(out, '"certificate_refused"')
        # Told once, not at every look.
        before = out.getvalue().count("certificate_refused")
        settings.key.unlink()
        await asyncio.sleep(0.1)
        assert out.getvalue().count("certificate_refused") == before
        assert "hidden-word" not in out.getvalue()
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def test_a_key_of_another_certificate_or_with_a_passphrase_is_refused_without_asking(tmp_path: Path) -> None:
    one, other = Authority().issue(tmp_path / "one", "localhost"), Authority().issue(tmp_path / "other", "localhost")
    with pytest.raises(CertificateError, match="CROUTER_TLS_CERTIFICATE"):
        ServerTls(TlsSettings(one[0], other[1]), "1.2")
    with pytest.raises(CertificateError):
        ServerTls(TlsSettings(tmp_path / "none", one[1]), "1.2")
