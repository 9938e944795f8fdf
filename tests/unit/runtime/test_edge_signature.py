"""A signature of the edge holds for one request, for a minute, and for the secrets that are known."""

import hmac
from hashlib import sha256

import pytest

from crouter.runtime.edge_signature import AGE_SECONDS_MAX, EdgeSignatures, signed_text, verify
from crouter.runtime.secret import Secret

OLD, NEW = "the secret of last month, long enough", "the secret of this month, long enough"
SECRETS = (Secret(NEW), Secret(OLD))
NOW = 1_800_000_000
IDENTIFIER = "0123456789abcdef" * 2
METHOD, TARGET = "POST", "/v1/messages?beta=true"


def signed(secret: str = NEW, seconds: int = NOW, method: str = METHOD, target: str = TARGET) -> str:
    """A header as the Worker makes it; tests/edge holds that the Worker does."""
    text = f"v1\n{seconds}\n{IDENTIFIER}\n{method}\n{target}".encode()
    digest = hmac.new(secret.encode(), text, sha256).hexdigest()
    return f"v1 t={seconds}, id={IDENTIFIER}, sig={digest}"


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_signature_with_any_known_secret_is_accepted(secret: str) -> None:
    assert verify(METHOD, TARGET, signed(secret), SECRETS, NOW) == "accepted"


def test_a_signature_with_an_unknown_secret_is_refused() -> None:
    assert verify(METHOD, TARGET, signed("someone else's secret, long enough"), SECRETS, NOW) == "wrong_signature"


def test_without_a_secret_nothing_is_accepted() -> None:
    assert verify(METHOD, TARGET, signed(""), (), NOW) == "wrong_signature"


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", TARGET), (METHOD, "/v1/messages"), (METHOD, "/v1/messages?beta=false"), (METHOD, TARGET + "\n")],
)
def test_a_signature_of_another_request_is_refused(method: str, target: str) -> None:
    assert verify(method, target, signed(), SECRETS, NOW) == "wrong_signature"


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (AGE_SECONDS_MAX, "accepted"),
        (AGE_SECONDS_MAX + 1, "too_old"),
        (-AGE_SECONDS_MAX, "accepted"),
        (-AGE_SECONDS_MAX - 1, "too_new"),
    ],
)
def test_a_signature_holds_a_minute_either_way(age: int, verdict: str) -> None:
    assert verify(METHOD, TARGET, signed(seconds=NOW - age), SECRETS, NOW) == verdict


@pytest.mark.parametrize("header", [None, ""])
def test_a_request_without_a_signature_came_another_way(header: str | None) -> None:
    assert verify(METHOD, TARGET, header, SECRETS, NOW) == "missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header + "\n",
        lambda header: " " + header,
        lambda header: header.replace("v1", "v2"),
        lambda header: header.upper(),
        lambda header: header[:-1],
        lambda header: f"{header}, {header}",
        lambda header: header.replace("t=1", "t=\u0661"),
        lambda header: header.replace("t=1", "t=-1"),
        lambda header: "é",
    ],
)
def test_anything_but_the_exact_form_is_malformed(change: object) -> None:
    assert callable(change)
    assert verify(METHOD, TARGET, change(signed()), SECRETS, NOW) == "malformed"


def test_a_changed_time_or_id_is_refused() -> None:
    assert verify(METHOD, TARGET, signed().replace(str(NOW), str(NOW + 1)), SECRETS, NOW) == "wrong_signature"
    assert verify(METHOD, TARGET, signed().replace("id=0", "id=1"), SECRETS, NOW) == "wrong_signature"


def test_a_target_that_is_no_text_is_judged_and_not_an_error() -> None:
    assert verify(METHOD, "/\udcff", signed(), SECRETS, NOW) == "wrong_signature"


def test_no_two_requests_share_a_signed_text() -> None:
    assert signed_text("1", IDENTIFIER, "GET", "/a") != signed_text("1", IDENTIFIER, "GE", "T/a")


def test_a_signature_is_good_once() -> None:
    signatures = EdgeSignatures(Secret(NEW), lambda: NOW)
    assert signatures.accepts(signed(), METHOD, TARGET)
    assert not signatures.accepts(signed(), METHOD, TARGET)
    assert signatures.accepts(signed(seconds=NOW - 1), METHOD, TARGET)


def test_a_signature_stays_used_up_for_as_long_as_it_would_hold() -> None:
    now = NOW - AGE_SECONDS_MAX
    signatures = EdgeSignatures(Secret(NEW), lambda: now)
    assert signatures.accepts(signed(), METHOD, TARGET)
    for now in range(NOW - AGE_SECONDS_MAX, NOW + 2 * AGE_SECONDS_MAX):  # noqa: B007 - the clock reads it
        assert not signatures.accepts(signed(), METHOD, TARGET)


def test_a_refused_signature_uses_nothing_up() -> None:
    signatures = EdgeSignatures(Secret(NEW), lambda: NOW)
    assert not signatures.accepts(signed(), "GET", TARGET)
    assert not signatures.accepts(None, METHOD, TARGET)
    assert signatures.accepts(signed(), METHOD, TARGET)


def test_a_secret_that_is_being_replaced_is_accepted_for_as_long_as_it_is_named() -> None:
    assert EdgeSignatures(Secret(NEW), lambda: NOW, (Secret(OLD),)).accepts(signed(OLD), METHOD, TARGET)
    assert not EdgeSignatures(Secret(NEW), lambda: NOW).accepts(signed(OLD), METHOD, TARGET)
