"""Does a peer hand on what it was given? One answer of each workload is read in full before a peer is measured."""

import http.client
import re
import socket

from bench.errors import BenchError
from bench.proxying.dialects import said
from bench.proxying.field import Peer
from bench.proxying.traffic import STAMP, Workload, text_of

SAME_BYTES, SAME_TEXT = "same bytes", "same text"
_STAMPS = re.compile(rb"stamp-\d{19}")
_SECONDS = 30.0


def compared(peer: Peer, workload: Workload, key: str) -> str:
    """`SAME_BYTES`, or `SAME_TEXT` where a peer writes the answer anew. Raises BenchError for anything else."""
    try:
        status, content = _answer(peer, workload, key)
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{peer.name} gives no answer to {workload.name} ({type(error).__name__})") from None
    if status != 200:
        raise BenchError(f"{peer.name} answers {workload.name} with status {status}: {content[:200]!r}")
    content = _STAMPS.sub(STAMP.encode(), content)
    if content == workload.content:
        return SAME_BYTES
    try:
        text = said(content)
    except (ValueError, KeyError, IndexError, TypeError):
        text = ""
    if peer.dialect.keeps_bytes or text != text_of(workload):
        raise BenchError(f"{peer.name} changes the answer to {workload.name}: {len(content)} bytes came through")
    return SAME_TEXT


def _answer(peer: Peer, workload: Workload, key: str) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", peer.port), timeout=_SECONDS) as connection:
        connection.sendall(peer.dialect.request(workload, peer.port, key))
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        return answer.status, answer.read()
