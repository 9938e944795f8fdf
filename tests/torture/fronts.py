"""nginx and HAProxy in front of the service, sharing few connections among all their clients."""

import asyncio
import contextlib
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from tests.torture.scenario import program

READY_SECONDS: Final = 20.0
_NGINX: Final = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 32m;
    upstream crouter {{ server 127.0.0.1:{service}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        underscores_in_headers on;
        ignore_invalid_headers off;
        location / {{
            proxy_pass http://crouter;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
        }}
    }}
}}
"""
_HAPROXY: Final = """\
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option http-keep-alive
    http-reuse always
frontend all
    bind 127.0.0.1:{port}
    default_backend crouter
backend crouter
    server one 127.0.0.1:{service} pool-max-conn 1
"""


def _command(name: str, configuration: Path, folder: Path) -> list[str]:
    if name == "nginx":
        return ["-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    return ["-db", "-q", "-f", str(configuration)]


@contextlib.asynccontextmanager
async def front(name: str, service_port: int, folder: Path) -> AsyncIterator[int]:
    """`nginx` or `haproxy` on a port of its own, until the block ends. Raises AssertionError, TimeoutError."""
    path = program(name)
    assert path is not None, f"{name} is not installed"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    text = _NGINX if name == "nginx" else _HAPROXY
    configuration = folder / f"{name}.conf"
    configuration.write_text(text.format(folder=folder, service=service_port, port=port), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        path, *_command(name, configuration, folder), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await _listens(port):
                assert process.returncode is None, f"{name} ended"
                await asyncio.sleep(0.02)
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
