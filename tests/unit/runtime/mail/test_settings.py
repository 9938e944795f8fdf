"""Mail needs a server of the operator's own, over TLS, or one of a declared processor; otherwise nothing starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.environment import SettingsError
from crouter.runtime.mail.settings import deliverable, is_address, read_mail
from tests.unit.runtime.retention.databases import Declared

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

PRODUCTION = {"CROUTER_SMTP_URL": "smtps://crouter:s%40cret@mail.crouter.dev", "CROUTER_MAIL_FROM": "mail@crouter.dev"}
DEVELOPMENT = {"CROUTER_ENVIRONMENT": "development"}


@pytest.fixture(scope="session")
def deployment(declared: Declared) -> Deployment:
    return declared.deployment


def problems(deployment: Deployment, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read_mail(deployment, environ)
    return refused.value.problems


def test_a_server_of_ones_own_is_taken_apart(deployment: Deployment) -> None:
    settings = read_mail(deployment, PRODUCTION)
    assert settings.server is not None
    assert (settings.server.host, settings.server.port, settings.server.tls) == ("mail.crouter.dev", 465, "implicit")
    assert (settings.server.user, settings.server.password.reveal()) == ("crouter", "s@cret")
    assert "s@cret" not in repr(settings)
    other = read_mail(deployment, {**PRODUCTION, "CROUTER_SMTP_URL": "smtp+starttls://LOCALHOST:2525"})
    assert other.server is not None
    assert (other.server.host, other.server.port, other.server.tls) == ("localhost", 2525, "starttls")


def test_production_names_what_is_missing(deployment: Deployment) -> None:
    told = problems(deployment, {})
    assert [problem.partition(":")[0] for problem in told] == ["CROUTER_MAIL_FROM", "CROUTER_SMTP_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "mail.crouter.dev",
        "https://mail.crouter.dev",
        "smtps://",
        "smtps://mail.crouter.dev:port",
        "smtps://mail.crouter.dev/path",
        "smtp://mail.crouter.dev",
        "smtp://localhost",
        "smtps://user:p%0D%0Aass@mail.crouter.dev",
    ],
)
def test_an_address_that_is_none_or_is_without_tls_is_refused_by_name(url: str, deployment: Deployment) -> None:
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_SMTP_URL": url})
    assert problem.startswith("CROUTER_SMTP_URL: ")
    assert url.partition("://")[2] in ("", "mail.crouter.dev") or url not in problem


@pytest.mark.claim("no-sale", by="egress_guard")
@pytest.mark.parametrize("host", ["smtp.mailer.example", "evilcrouter.dev", "crouter.dev.example", "10.0.0.1"])
def test_no_sale__a_mail_service_that_nobody_declared_gets_no_address(host: str, deployment: Deployment) -> None:
    environ = {**PRODUCTION, "CROUTER_SMTP_URL": f"smtps://{host}"}
    (problem,) = problems(deployment, environ)
    assert "declares no processor" in problem
    stripe = deployment.processor("stripe")
    for wanted, receives, purposes in (
        (False, ("usage",), ("billing_notices", "service_updates")),
        (False, ("account.email",), ("billing_notices",)),
        (True, ("account.email",), ("billing_notices", "service_updates")),
        (True, ("account",), ("billing_notices", "service_updates", "payment")),
    ):
        mailer = replace(stripe, name="mailer", hosts=(host,), receives=receives, purposes=purposes)
        declaring = replace(deployment, processors=(*deployment.processors, mailer))
        if wanted:
            assert read_mail(declaring, environ).server is not None
        else:
            assert problems(declaring, environ)


def test_development_writes_files_unless_it_is_given_a_server(deployment: Deployment) -> None:
    settings = read_mail(deployment, DEVELOPMENT)
    assert (settings.server, settings.folder) == (None, Path(".crouter/mail"))
    given = read_mail(deployment, {**DEVELOPMENT, "CROUTER_SMTP_URL": "smtp://127.0.0.1:1025"})
    assert given.server is not None
    assert problems(deployment, {**DEVELOPMENT, "CROUTER_SMTP_URL": "smtp://mail.crouter.dev"})


@pytest.mark.parametrize("sender", ["nobody", "a@b.c, d@e.f", "Crouter <mail@crouter.dev>", "a@b\nBcc: c@d"])
def test_a_sender_is_one_address(sender: str, deployment: Deployment) -> None:
    (problem,) = problems(deployment, {**PRODUCTION, "CROUTER_MAIL_FROM": sender})
    assert problem.startswith("CROUTER_MAIL_FROM")


@pytest.mark.parametrize(
    "text",
    ["", "a", "@b.c", "a@", "a b@c.d", "a@b.c,d@e.f", "<a@b.c>", "A <a@b.c>", "a@b.c\u0085", "x\u200b@b.c", "a\0@b.c"],
)
def test_what_is_no_single_address_is_none(text: str) -> None:
    assert not is_address(text)
    assert deliverable(text) is None


def test_a_host_beyond_ascii_goes_out_in_punycode() -> None:
    assert deliverable("ada@bücher.example") == "ada@xn--bcher-kva.example"
    assert deliverable("ädä@example.org") == "ädä@example.org"
