"""A development run listens on this machine only."""

import socket

import pytest

from crouter.development.address import joined, listen_address, require_free
from crouter.development.errors import DevelopmentError


@pytest.mark.parametrize(
    ("listen", "port", "expected"),
    [
        ("", None, ("127.0.0.1", 8080)),
        ("", 9000, ("127.0.0.1", 9000)),
        ("localhost:8000", None, ("localhost", 8000)),
        ("127.0.0.2:8000", 0, ("127.0.0.2", 0)),
        ("[::1]:8000", None, ("::1", 8000)),
    ],
)
def test_loopback_is_listened_on(listen: str, port: int | None, expected: tuple[str, int]) -> None:
    assert listen_address(listen, port) == expected


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "[::]:8080", "192.168.1.5:80", "example.com:80", "*:80"])
def test_an_address_that_others_can_reach_is_refused(listen: str) -> None:
    with pytest.raises(DevelopmentError, match="this machine only"):
        listen_address(listen, None)


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http", "[::1"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(DevelopmentError):
        listen_address(listen, None)


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DevelopmentError, match=f"port {port} is taken") as refused:
            require_free("127.0.0.1", port)
        assert "--port" in refused.value.hint
        assert "CROUTER_LISTEN" in refused.value.hint
    require_free("127.0.0.1", port)


def test_brackets_stand_around_an_ipv6_address() -> None:
    assert joined("::1", 80) == "[::1]:80"
    assert joined("127.0.0.1", 80) == "127.0.0.1:80"
