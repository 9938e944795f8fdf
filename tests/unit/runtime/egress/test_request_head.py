import pytest

from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.egress.request_head import request_head


def test_a_head_is_written_in_order_with_host_and_length_of_its_own() -> None:
    head = request_head("POST", "/v1/messages?beta=true", "h:1", (("X-A", "b"), ("x-a", "c")), 7)
    assert head == (
        b"POST /v1/messages?beta=true HTTP/1.1\r\nhost: h:1\r\ncontent-length: 7\r\nX-A: b\r\nx-a: c\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "says"), [("GET", False), ("HEAD", False), ("DELETE", False), ("POST", True)])
def test_a_request_without_a_body_says_so_where_a_body_has_a_meaning(method: str, says: bool) -> None:
    assert (b"content-length: 0\r\n" in request_head(method, "/", "h", (), None)) is says


def test_values_leave_as_the_bytes_they_came_in() -> None:
    value = b"\xc3\xa9\xff".decode("utf-8", "surrogateescape")
    assert b"x: \xc3\xa9\xff\r\n" in request_head("GET", "/", "h", (("x", value),), None)


@pytest.mark.parametrize("text", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\r\n\r\nGET /"])
def test_a_value_with_a_line_break_is_refused_without_being_quoted(text: str) -> None:
    for headers, target in (((("x", text),), "/"), (((text, "x"),), "/"), ((), f"/{text}")):
        with pytest.raises(EgressRefusedError) as caught:
            request_head("GET", target, "h", headers, None)
        assert text not in str(caught.value)


def test_a_target_with_a_space_is_refused() -> None:
    with pytest.raises(EgressRefusedError):
        request_head("GET", "/ HTTP/1.0", "h", (), None)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "HOST"])
def test_framing_given_by_a_caller_is_a_bug(name: str) -> None:
    with pytest.raises(AssertionError):
        request_head("POST", "/", "h", ((name, "1"),), 1)
