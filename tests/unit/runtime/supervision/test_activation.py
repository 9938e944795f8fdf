"""Sockets are taken over, and readiness told, as systemd defines it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crouter.runtime.supervision.activation import READY, ActivationError, inherited_socket, is_managed, tell_manager

TAKING = """
import os, sys
from crouter.runtime.supervision.activation import ActivationError, inherited_socket
try:
    found = inherited_socket(os.environ | {"LISTEN_PID": sys.argv[1] or str(os.getpid())}, os.getpid())
except ActivationError as error:
    print(error)
else:
    print(found and found.getsockname()[1])
"""


def taken(handed: socket.socket | None, count: str = "1", whose: str = "") -> str:
    """What a process says that finds this socket as descriptor 3."""
    program = [sys.executable, "-c", TAKING, whose]
    if handed is not None:
        program = ["/bin/sh", "-c", 'exec 3<&0; exec "$@"', "sh", *program]
    told: subprocess.CompletedProcess[str] = subprocess.run(
        program,
        stdin=subprocess.DEVNULL if handed is None else handed.fileno(),
        env={**os.environ, "LISTEN_FDS": count},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


def test_a_listening_socket_is_taken_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert taken(listener) == str(listener.getsockname()[1])


def test_a_socket_for_another_process_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert taken(listener, whose="1") == "None"


def test_a_socket_that_does_not_listen_is_refused() -> None:
    with socket.socket() as idle:
        assert "no listening stream socket" in taken(idle)


def test_two_sockets_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert "exactly one socket" in taken(listener, count="2")


def test_what_is_no_socket_is_refused(tmp_path: Path) -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "3"}
    with pytest.raises(ActivationError):
        inherited_socket(environ, os.getpid())


def test_nobody_is_told_who_did_not_ask() -> None:
    assert not is_managed({})
    tell_manager({}, READY)


@pytest.mark.parametrize("name", ["notify", "@crouter-test-abstract"])
def test_readiness_is_told_as_a_datagram(tmp_path: Path, name: str) -> None:
    if name.startswith("@") and sys.platform != "linux":
        pytest.skip("abstract addresses are Linux's")
    address = f"{name}-{os.getpid()}" if name.startswith("@") else str(tmp_path / name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        tell_manager({"NOTIFY_SOCKET": address}, READY)
        assert manager.recv(64) == READY


def test_a_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    tell_manager({"NOTIFY_SOCKET": str(tmp_path / "gone")}, READY)
