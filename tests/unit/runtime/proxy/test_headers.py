"""Which headers leave and which come back."""

import pytest

from crouter.runtime.proxy.headers import HOP_BY_HOP, RequestHeaders, ResponseHeaders

REQUEST = RequestHeaders(
    dropped_names=(
        "cookie",
        "forwarded",
        "via",
        "origin",
        "referer",
        "x-real-ip",
        "true-client-ip",
        "x-client-ip",
    ),
    dropped_prefixes=("x-forwarded-", "cf-", "fly-", "x-vercel-", "x-appengine-", "cloudfront-"),
)
RESPONSE = ResponseHeaders()
IDENTITY = ("accept-encoding", "identity")


def test_an_ordinary_request_leaves_as_it_came() -> None:
    headers = (
        ("Content-Type", "application/json"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a-2026-01-01,b, c"),
        ("anthropic-beta", "d"),
        ("anthropic-something-of-next-year", "x"),
        ("X-Stainless-Retry-Count", "0"),
        ("user-agent", "claude-cli/9"),
        ("sec-gpc", "1"),
        ("idempotency-key", "1"),
    )
    assert REQUEST.forwarded(headers) == (*headers, IDENTITY)


@pytest.mark.parametrize("value", ["", "a, b", "ümlaut-beta", "x" * 5000, "a;q=1 ,"])
def test_values_pass_byte_for_byte(value: str) -> None:
    assert ("anthropic-beta", value) in REQUEST.forwarded([("anthropic-beta", value)])


@pytest.mark.claim("processor-anthropic")
@pytest.mark.parametrize("name", ["x-api-key", "Authorization", "Proxy-Authorization"])
def test_the_customers_key_stays(name: str) -> None:
    assert REQUEST.forwarded([(name, "canary")]) == (IDENTITY,)


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "x-forwarded-anything",
        "CF-Connecting-IP",
        "CF-IPCountry",
        "Forwarded",
        "Cookie",
        "X-Real-IP",
        "Fly-Client-IP",
        "Via",
        "Referer",
    ],
)
@pytest.mark.claim("exclude-location")
def test_identifying_and_locating_headers_stay(name: str) -> None:
    assert REQUEST.forwarded([(name, "canary")]) == (IDENTITY,)


@pytest.mark.parametrize("name", ["host", "Content-Length", "expect", *sorted(HOP_BY_HOP)])
def test_what_belongs_to_one_connection_stays(name: str) -> None:
    assert REQUEST.forwarded([(name, "x")]) == (IDENTITY,)


def test_a_part_of_our_account_cannot_be_chosen() -> None:
    chosen = [("anthropic-workspace-id", "w"), ("anthropic-user-profile-id", "u")]
    assert REQUEST.forwarded(chosen) == (IDENTITY,)


def test_what_connection_names_goes_with_it() -> None:
    headers = [("X-One", "1"), ("connection", "close, x-one"), ("Connection", "X-TWO"), ("x-two", "2"), ("x", "3")]
    assert REQUEST.forwarded(headers) == (("x", "3"), IDENTITY)


@pytest.mark.parametrize(
    ("sent", "leaves"),
    [
        ([], "identity"),
        (["gzip, deflate"], "gzip, deflate"),
        (["gzip, deflate, br, zstd"], "gzip, deflate"),
        (["br"], "identity"),
        (["br", "gzip;q=0.5"], "gzip;q=0.5"),
    ],
)
def test_only_codings_that_can_be_metered_are_asked_for(sent: list[str], leaves: str) -> None:
    headers = [("Accept-Encoding", value) for value in sent]
    assert REQUEST.forwarded(headers) == (("accept-encoding", leaves),)


@pytest.mark.parametrize("bad", ["", "Cookie", "a b", "a\r\n"])
def test_a_declaration_that_is_no_lower_case_name_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        RequestHeaders((), (bad,))


def test_an_answer_keeps_what_a_client_needs() -> None:
    headers = (
        ("content-type", "text/event-stream"),
        ("content-encoding", "gzip"),
        ("request-id", "req_theirs"),
        ("retry-after", "7"),
        ("x-should-retry", "true"),
        ("anthropic-new", "x"),
    )
    assert RESPONSE.returned(headers, "req_ours") == (*headers, ("x-crouter-request-id", "req_ours"))


@pytest.mark.parametrize(
    "name",
    [
        "anthropic-organization-id",
        "Set-Cookie",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-unified-status",
        "cf-ray",
        "CF-Cache-Status",
        "server",
        "via",
        "alt-svc",
        "Transfer-Encoding",
        "connection",
        "strict-transport-security",
        "x-crouter-request-id",
    ],
)
def test_what_tells_of_our_account_or_their_edge_is_not_returned(name: str) -> None:
    assert RESPONSE.returned([(name, "x")], "req_ours") == (("x-crouter-request-id", "req_ours"),)


def test_more_can_be_dropped_from_answers_by_declaration() -> None:
    headers = ResponseHeaders(dropped_names=("x-a",), dropped_prefixes=("x-b-",))
    assert headers.returned([("X-A", "1"), ("x-b-c", "2"), ("x-c", "3")], "r") == (
        ("x-c", "3"),
        ("x-crouter-request-id", "r"),
    )
