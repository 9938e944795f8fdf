"""The fuzzers' checks hold for inputs that hypothesis makes, and fail where a reader is broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.fuzzing import targets

PIECES = {
    "events": [
        b"event: message_delta", b"event: message_stop\n", b"data: ", b'{"usage":{"output_tokens":7}}', b"\n", b"\r",
    ],
    "message": [b'{"usage":', b'{"output_tokens":', b"7", b"null", b"}", b",", b'"usage":{}', b"1e3", b'"\\ud800"'],
    "body": [
        b'{"model":', b'"claude-haiku-4-5"', b'"m\\u006fdel":', b",", b"}", b'"stream":true', b'"max_tokens":7', b" ",
    ],
    "coding": [
        targets.TARGETS["coding"][1][3:], b"\x1f\x8b\x08\x00", b"\x78\x9c", b"\x03\x00", b"\xff" * 20, b"\x00" * 300,
    ],
    "head": [
        b"POST /v1/messages HTTP/1.1\r\n", b"Host: a\r\n", b"Content-Length: 5\r\n", b"X-A: b", b"\r\n", b"\n", b"\r",
        b"Transfer-Encoding: chunked\r\n", b" ", b"\t", b"\0", b":", b"content-length", b"\x85", b"\xa0",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_good_input_passes_its_check(name: str) -> None:
    check, good = targets.TARGETS[name]
    check(good)
    check(b"")


@pytest.mark.parametrize("name", targets.TARGETS)
def test_any_input_passes_its_check(name: str) -> None:
    check, good = targets.TARGETS[name]
    pieces = st.lists(st.one_of(st.sampled_from(PIECES[name]), st.binary(max_size=8)), max_size=12).map(b"".join)
    places = st.tuples(st.integers(0, len(good)), st.integers(0, len(good)), pieces)
    edited = places.map(lambda edit: good[: edit[0]] + edit[2] + good[max(edit[:2]) :])

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.one_of(pieces, edited))
    def passes(data: bytes) -> None:
        check(data)

    passes()


def test_a_head_read_too_laxly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: a reader that takes chunked requests for plain ones."""
    monkeypatch.setattr("crouter.runtime.front.head._UNUSUAL", frozenset())
    head = b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(AssertionError):
        targets.read_head(head)


def test_a_tap_that_depends_on_the_cuts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: what is left of a cut line is forgotten."""
    monkeypatch.setattr("crouter.runtime.proxy.events.EventTap._keep_unfinished", lambda tap, data, position: None)
    with pytest.raises(AssertionError):
        targets.tap_events(targets.TARGETS["events"][1])
