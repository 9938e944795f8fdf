import base64
import pickle
from pathlib import Path

import pytest

from crouter.runtime.environment import SettingsError
from crouter.runtime.loopback import is_loopback
from crouter.runtime.settings import read_settings, read_store_settings
from tests.unit.runtime.declarations import DEPLOYMENT

SEALING, LOOKUP, RECEIPT, FRESH = (base64.b64encode(letter * 32).decode() for letter in (b"s", b"l", b"r", b"f"))
PRODUCTION = {
    "DATABASE_URL": "postgresql://crouter:canary@db.example.org/crouter?sslmode=verify-full",
    "ANTHROPIC_API_KEY": "sk-ant-canary",
    "CROUTER_SEALING_KEYS": f"1:{SEALING}",
    "CROUTER_LOOKUP_KEYS": f"1:{LOOKUP}",
    "CROUTER_RECEIPT_KEYS": f"1:{RECEIPT}",
    "CROUTER_EDGE_SECRET": "canary-" + "e" * 32,
    "CROUTER_JOURNAL": "journal",
}
DEVELOPMENT = {**PRODUCTION, "CROUTER_ENVIRONMENT": "development"}


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(DEPLOYMENT, environ)
    return caught.value.problems


def test_production_is_the_default_and_the_upstream_is_the_declared_host() -> None:
    settings = read_settings(DEPLOYMENT, PRODUCTION)
    assert settings.production
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.upstream_url == "https://api.anthropic.com"


def test_everything_that_is_missing_is_named_at_once() -> None:
    told = problems({})
    for name in PRODUCTION:
        assert [problem for problem in told if problem.startswith(f"{name}: not set")], name


@pytest.mark.parametrize("name", ["CROUTER_SEALING_KEYS", "CROUTER_LOOKUP_KEYS", "CROUTER_RECEIPT_KEYS"])
@pytest.mark.parametrize(
    "value",
    [SEALING, "1:", "1:c2hvcnQ=", f"0:{SEALING}", f"1:{FRESH},1:{FRESH}", f"x:{SEALING}", f"1:{FRESH},nonsense"],
)
def test_a_key_ring_that_is_no_list_of_versioned_256_bit_keys_is_refused_by_name(name: str, value: str) -> None:
    (problem,) = problems({**PRODUCTION, name: value})
    assert problem.startswith(name)
    assert SEALING not in problem


def test_one_key_for_two_purposes_is_refused() -> None:
    (problem,) = problems({**PRODUCTION, "CROUTER_LOOKUP_KEYS": f"7:{SEALING}"})
    assert problem.startswith("CROUTER_LOOKUP_KEYS")
    for taken in (SEALING, LOOKUP):
        (problem,) = problems({**PRODUCTION, "CROUTER_RECEIPT_KEYS": f"2:{FRESH},1:{taken}"})
        assert problem.startswith("CROUTER_RECEIPT_KEYS")


def test_only_development_may_do_without_signing_receipts() -> None:
    without = {name: value for name, value in PRODUCTION.items() if name != "CROUTER_RECEIPT_KEYS"}
    (problem,) = problems(without)
    assert problem.startswith("CROUTER_RECEIPT_KEYS: not set; give 32 random bytes")
    assert read_settings(DEPLOYMENT, {**without, "CROUTER_ENVIRONMENT": "development"}).receipts is None
    ring = read_settings(DEPLOYMENT, DEVELOPMENT).receipts
    assert ring is not None
    assert ring.newest.key.reveal() == b"r" * 32


def test_several_upstream_keys_stand_in_the_order_they_were_given() -> None:
    settings = read_settings(DEPLOYMENT, {**PRODUCTION, "ANTHROPIC_API_KEY": "sk-b, sk-a ,sk-c"})
    assert [key.reveal() for key in settings.upstream_keys] == ["sk-b", "sk-a", "sk-c"]
    assert settings.upstream_key.reveal() == "sk-b"


@pytest.mark.parametrize(
    "value", ["sk-canary,", ",sk-canary", "sk-canary,sk-canary", "sk canary", "sk-canary\nx: y", "kü"]
)
def test_upstream_keys_that_cannot_be_sent_or_come_twice_are_refused_by_name(value: str) -> None:
    (problem,) = problems({**PRODUCTION, "ANTHROPIC_API_KEY": value})
    assert problem.startswith("ANTHROPIC_API_KEY")
    assert "canary" not in problem


@pytest.mark.parametrize("name", ["CROUTER_REQUESTS_MAX", "CROUTER_ACCOUNT_REQUESTS_MAX"])
@pytest.mark.parametrize("value", ["0", "-1", "1e3", "1000000", "many", "1.5"])
def test_a_bound_that_is_no_count_is_refused_by_name(name: str, value: str) -> None:
    (problem,) = problems({**PRODUCTION, name: value})
    assert problem.startswith(name)


def test_bounds_are_read_and_have_defaults() -> None:
    settings = read_settings(DEPLOYMENT, {**PRODUCTION, "CROUTER_REQUESTS_MAX": "70"})
    assert (settings.requests_max, settings.account_requests_max) == (70, 2048)


def test_the_newest_key_is_the_one_with_the_greatest_version() -> None:
    ring = read_store_settings({**PRODUCTION, "CROUTER_SEALING_KEYS": f"2:{SEALING},10:{FRESH},1:{SEALING}"}).sealing
    assert [key.version for key in ring.keys] == [10, 2, 1]
    assert ring.newest.key.reveal() == b"f" * 32


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("http://api.anthropic.com", PRODUCTION),
        ("http://127.0.0.1:9000", PRODUCTION),
        ("https://example.org", DEVELOPMENT),
        ("https://api.anthropic.com.example.org", DEVELOPMENT),
        ("https://user@api.anthropic.com", DEVELOPMENT),
        ("https://api.anthropic.com/path", DEVELOPMENT),
        ("http://192.0.2.1", DEVELOPMENT),
        ("http://[::1", DEVELOPMENT),
        ("ftp://127.0.0.1", DEVELOPMENT),
    ],
)
def test_an_upstream_that_is_not_the_declared_one_is_refused(url: str, environ: dict[str, str]) -> None:
    (problem,) = problems({**environ, "CROUTER_UPSTREAM_URL": url})
    assert problem.startswith("CROUTER_UPSTREAM_URL")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"])
def test_in_development_the_upstream_may_be_on_this_machine(url: str) -> None:
    assert read_settings(DEPLOYMENT, {**DEVELOPMENT, "CROUTER_UPSTREAM_URL": url}).upstream_url == url


@pytest.mark.claim("security-https", by="https_only")
def test_security_https__production_without_an_edge_secret_is_refused() -> None:
    assert problems({**PRODUCTION, "CROUTER_EDGE_SECRET": ""})[0].startswith("CROUTER_EDGE_SECRET")
    assert problems({**PRODUCTION, "CROUTER_EDGE_SECRET": "short"})[0].startswith("CROUTER_EDGE_SECRET")


def test_a_value_can_come_from_a_file_and_not_from_both(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-ant-from-file\n")
    environ = {**PRODUCTION, "ANTHROPIC_API_KEY": "", "ANTHROPIC_API_KEY_FILE": str(file)}
    assert read_settings(DEPLOYMENT, environ).upstream_key.reveal() == "sk-ant-from-file"
    assert problems({**PRODUCTION, "ANTHROPIC_API_KEY_FILE": str(file)})[0].startswith("ANTHROPIC_API_KEY")
    assert problems({**environ, "ANTHROPIC_API_KEY_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("more", "pooled"),
    [
        ({}, False),
        ({"CROUTER_DATABASE_POOLER": "transaction"}, True),
        ({"DATABASE_URL": "postgresql://a@pooler.example.org:6543/x?sslmode=require"}, True),
        (
            {
                "DATABASE_URL": "postgresql://a@pooler.example.org:6543/x?sslmode=require",
                "CROUTER_DATABASE_POOLER": "session",
            },
            False,
        ),
    ],
)
def test_a_transaction_pooler_is_known_by_its_port_or_by_name(more: dict[str, str], pooled: bool) -> None:
    assert read_store_settings({**PRODUCTION, **more}).transaction_pooler is pooled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CROUTER_ENVIRONMENT", "staging"),
        ("CROUTER_LISTEN", "8080"),
        ("CROUTER_LISTEN", "127.0.0.1:http"),
        ("DATABASE_URL", "mysql://canary@x/y"),
        ("CROUTER_DEVELOPMENT_ACCOUNT", "nobody"),
        ("CROUTER_DATABASE_POOLER", "maybe"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name_without_being_repeated(name: str, value: str) -> None:
    (problem,) = problems({**DEVELOPMENT, name: value})
    assert problem.startswith(name)
    assert "canary" not in problem


def test_settings_show_no_secret_and_are_not_pickled() -> None:
    settings = read_settings(DEPLOYMENT, PRODUCTION)
    assert "canary" not in repr(settings) + str(settings)
    with pytest.raises(TypeError):
        pickle.dumps(settings.upstream_key)


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("x.y", False)],
)
def test_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


def test_production_needs_a_folder_for_the_journal_and_development_has_one_for_each_database() -> None:
    assert problems({**PRODUCTION, "CROUTER_JOURNAL": ""})[0].startswith("CROUTER_JOURNAL")
    unset = {**DEVELOPMENT, "CROUTER_JOURNAL": ""}
    one = read_settings(DEPLOYMENT, unset).journal
    other = read_settings(
        DEPLOYMENT, {**unset, "DATABASE_URL": "postgresql://crouter@db.example.org/other?sslmode=require"}
    ).journal
    assert one != other
    assert one.parent == other.parent
    assert "canary" not in str(one)


def test_a_journal_waits_for_the_medium_for_many_records_at_once_unless_told_otherwise() -> None:
    assert read_settings(DEPLOYMENT, PRODUCTION).journal_sync == "grouped"
    assert read_settings(DEPLOYMENT, {**PRODUCTION, "CROUTER_JOURNAL_SYNC": "always"}).journal_sync == "always"
    assert problems({**PRODUCTION, "CROUTER_JOURNAL_SYNC": "never"})[0].startswith("CROUTER_JOURNAL_SYNC")


@pytest.mark.parametrize(("text", "is_told"), [("", False), ("1", False), ("0", True), ("yes", True)])
def test_whether_the_sources_run_is_said_in_one_way(text: str, is_told: bool) -> None:
    environ = {**PRODUCTION, "CROUTER_INTERPRETED": text}
    if is_told:
        assert problems(environ) == ("CROUTER_INTERPRETED: is 1, or not set",)
    else:
        read_settings(DEPLOYMENT, environ)


@pytest.mark.claim("security-https")
def test_security_https__production_needs_an_edge_or_a_certificate_of_its_own() -> None:
    bare = {**PRODUCTION, "CROUTER_EDGE_SECRET": ""}
    (problem,) = problems(bare)
    assert problem.startswith("CROUTER_EDGE_SECRET: not set")
    assert "CROUTER_TLS_CERTIFICATE" in problem
    tls = {"CROUTER_TLS_CERTIFICATE": "certificate.pem", "CROUTER_TLS_KEY": "key.pem"}
    settings = read_settings(DEPLOYMENT, {**bare, **tls, "CROUTER_LISTEN_PLAIN": "0.0.0.0:80"})
    assert settings.tls is not None
    assert (settings.tls.certificate, settings.tls.key) == (Path("certificate.pem"), Path("key.pem"))
    assert settings.plain_listen == ("0.0.0.0", 80)
    for name in tls:
        (half,) = problems({**PRODUCTION, **tls, name: ""})
        assert half.startswith(name)
    for value in ("80", "127.0.0.1"):
        (problem,) = problems({**PRODUCTION, **tls, "CROUTER_LISTEN_PLAIN": value})
        assert problem.startswith("CROUTER_LISTEN_PLAIN")
    (problem,) = problems({**PRODUCTION, "CROUTER_LISTEN_PLAIN": "0.0.0.0:80"})
    assert problem.startswith("CROUTER_LISTEN_PLAIN")
