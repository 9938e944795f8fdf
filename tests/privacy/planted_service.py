"""The generated service with parts that tests switch on by a word in a prompt: leaks, crashes, noise, a census.

Run as a program by tests, never imported by them. A word is followed by a colon and what it is about, `leak:table`
for instance. Without such a word the service does what it always does.
"""

import asyncio
import base64
import gc
import gzip
import json
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

import crouter.runtime.serve as serving
from crouter.runtime import unread_batches
from crouter.runtime.front import admission
from crouter.runtime.front.head import HeadReader
from crouter.runtime.metrics import Metrics
from crouter.runtime.proxy.attempt import Attempt
from crouter.runtime.proxy.headers import Headers, RequestHeaders
from crouter.runtime.proxy.request import read_request
from generated.service import DEPLOYMENT

ELSEWHERE, MARK_REVERSED, CENSUS = "TEST_ELSEWHERE", "TEST_MARK_REVERSED", "TEST_CENSUS"
GENERATED = Path(sys.modules["generated"].__file__ or "").parent


class PlantedError(Exception):
    """Raised with content in its message, as a careless library would."""


class KnownMetrics(Metrics):
    """The service's counters, within reach of a leak."""

    made: "list[KnownMetrics]" = []  # noqa: RUF012  one process, one service

    def __init__(self, declared: Any, others: Any = None) -> None:
        super().__init__(declared, others)
        self.made.append(self)


kept: list[bytes] = []


def leak_to_output(body: bytes) -> None:
    sys.stdout.write(f"body: {body.decode()}\n")
    sys.stdout.flush()


def leak_to_log_as_base64(body: bytes) -> None:
    sys.stderr.write(base64.b64encode(body).decode() + "\n")
    sys.stderr.flush()


def leak_to_file(body: bytes) -> None:
    (Path(tempfile.gettempdir()) / "request.json").write_bytes(body)


def leak_to_compressed_file(body: bytes) -> None:
    Path("requests.gz").write_bytes(gzip.compress(body))


def leak_to_shared_memory(body: bytes) -> None:
    Path(f"/dev/shm/crouter-test-{os.getpid()}").write_bytes(body)  # noqa: S108  the place is the point


def leak_to_table(body: bytes) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("UPDATE crouter.account SET name = %s", (body.decode(),))


def leak_to_removed_row(body: bytes) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE public.requests (body text)")
        connection.execute("INSERT INTO public.requests VALUES (%s)", (body.decode(),))
        connection.execute("DELETE FROM public.requests")


def leak_to_metric(body: bytes) -> None:
    text = json.loads(body)["messages"][0]["content"]
    KnownMetrics.made[-1].count("crouter_anomalies_total", kind=text.rpartition(" ")[2])


def leak_to_other_host(body: bytes) -> None:
    host, port = os.environ[ELSEWHERE].split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(body)
        # Until the other side has it: a service that really sent something would wait, too.
        connection.recv(1)


def leak_to_memory(body: bytes) -> None:
    kept.append(body)


LEAKS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("leak_to_"): value for name, value in list(globals().items()) if name.startswith("leak_to_")
}


def make_noise(body: bytes) -> None:
    """Everything that libraries do with what they were given, when they complain."""
    text = body.decode()
    for name in ("aiohttp.server", "aiohttp.client", "asyncio", "psycopg.pool", "made.just.now"):
        logging.getLogger(name).error("could not handle %s", text)
    try:
        raise PlantedError(text)
    except PlantedError:
        logging.getLogger("aiohttp.access").exception(text)
    warnings.warn(text, stacklevel=1)
    threading.Thread(target=_raise, args=(text,)).start()
    loop = asyncio.get_running_loop()
    loop.call_soon(_raise, text)
    forgotten = loop.create_task(_raise_later(text))
    del forgotten
    Fragile(text)
    logging.getLogger("unformattable").error("%d", text)


class Fragile:
    """Fails when it is thrown away."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __del__(self) -> None:
        raise PlantedError(self.text)


def _raise(text: str) -> None:
    raise PlantedError(text)


async def _raise_later(text: str) -> None:
    raise PlantedError(text)


def words_after(body: bytes, word: bytes) -> Iterator[str]:
    for piece in body.split(word + b":")[1:]:
        yield piece.split()[0].decode()


def plant() -> None:
    """Puts the switches into the parts of the service."""
    tapped, forwarded, read_head = Attempt.body, RequestHeaders.forwarded, HeadReader.read

    def read_request_switched(body: bytes) -> Any:
        for sink in words_after(body, b"leak"):
            LEAKS[sink](body)
        for what in words_after(body, b"crash"):
            if what == "request":
                raise PlantedError(body.decode())
            if what == "noise":
                make_noise(body)
        return read_request(body)

    def tapped_switched(attempt: Attempt, data: bytes) -> None:
        tapped(attempt, data)
        if b"crash:answer" in data:
            raise PlantedError(data.decode())

    def read_head_switched(reader: HeadReader, data: bytes, end: int) -> Any:
        # What is switched below is asked on the way through aiohttp.
        return None if b"x-test-leak" in data[:end].lower() else read_head(reader, data, end)

    def forwarded_switched(chosen: RequestHeaders, headers: Any) -> Headers:
        if any(name.lower() == "x-test-leak" for name, _ in headers):
            # The client would not send framing that is not its own, which is a guard that this leak is not about.
            return tuple((name, value) for name, value in headers if name.lower() not in ("host", "content-length"))
        return forwarded(chosen, headers)

    for owner, name, switched in (
        (admission, "read_request", read_request_switched),
        (Attempt, "body", tapped_switched),
        (RequestHeaders, "forwarded", forwarded_switched),
        (HeadReader, "read", read_head_switched),
        (serving, "Metrics", KnownMetrics),
        # What nobody reads is looked for at once: a test has made it old.
        (unread_batches, "START_SECONDS", 0.5),
        (unread_batches, "LOOK_SECONDS", 0.5),
    ):
        assert hasattr(owner, name), "the part has another name now"
        setattr(owner, name, switched)
    signal.signal(signal.SIGUSR1, census)


def census(number: int, frame: FrameType | None) -> None:
    """Writes which canaries live objects hold, and in what, into the file that tests read.

    Sees every object the garbage collector knows and what those refer to, coroutines and their locals included; not
    what only memory of a C library holds.
    """
    # Told backwards, so that the environment does not hold what is searched for.
    mark = os.environ[MARK_REVERSED][::-1].encode()
    canary = re.compile(re.escape(mark) + rb"[a-z0-9]{8}")
    gc.unfreeze()
    gc.collect()
    found: dict[str, str] = {}
    known = gc.get_objects()
    for holder in known:
        if holder is found:
            continue
        for item in (holder, *gc.get_referents(holder)):
            text = text_of(item)
            if len(text) > len(mark):
                where = f"{type(item).__name__} in {type(holder).__name__}"
                found.update(dict.fromkeys(map(bytes.decode, canary.findall(text)), where))
    target = Path(os.environ[CENSUS])
    target.with_suffix(".new").write_text(json.dumps({"objects": len(known), "found": found}), encoding="utf-8")
    target.with_suffix(".new").rename(target)


def text_of(item: object) -> bytes:
    if isinstance(item, str):
        return item.encode("utf-8", "surrogatepass")
    return bytes(item) if isinstance(item, bytes | bytearray | memoryview) else b""


if __name__ == "__main__":
    plant()
    sys.exit(serving.serve(DEPLOYMENT, generated=GENERATED))
