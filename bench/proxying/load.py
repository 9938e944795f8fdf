"""Runs the load against one peer and reads what it saw. What does not come back as it was sent ends the run."""

import subprocess
import tempfile
import threading
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.errors import BenchError
from bench.proxying.programs import compiled

_GRACE_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is sent, and the body that has to come back; `content` is None where any body will do."""

    port: int
    request: bytes
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Shape:
    """How much at once and for how long. Streams that last a while begin one after another, over `ramp_seconds`."""

    connections: int
    seconds: float
    warm_seconds: float = 0.3
    ramp_seconds: float = 0.0
    drains: bool = True
    """Whether what is under way at the end is waited for."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw in its window; `all_answers` counts those before and after as well. Times in nanoseconds:
    to the end of an answer, to the first byte of its body, and from the sending of an event to its receipt."""

    answers: int
    all_answers: int
    seconds: float
    latencies: "array[int]"
    firsts: "array[int]"
    delays: "array[int]"


def drive(exchange: Exchange, shape: Shape, *, begins: Callable[[], None], ends: Callable[[], None]) -> Load:
    """Drives one peer; `begins` and `ends` are called around the window that is counted. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="crouter-bench-") as folder:
        command, said = _command(exchange, shape, Path(folder)), Path(folder, "said")
        with said.open("wb") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:  # noqa: S603
            # It gives up by itself where nothing comes; this is for a peer that answers for ever.
            timer = threading.Timer(shape.warm_seconds + shape.seconds + _GRACE_SECONDS, process.kill)
            timer.start()
            try:
                output = _output(process.stdout, begins, ends) if process.stdout else None
            finally:
                timer.cancel()
                process.kill()
        if output is None or not output:
            raise BenchError(said.read_text(encoding="utf-8").strip() or "the load did not come to its end")
        return _read(output, shape)


def _command(exchange: Exchange, shape: Shape, folder: Path) -> list[str]:
    request, content = folder / "request", folder / "content"
    request.write_bytes(exchange.request)
    content.write_bytes(exchange.content or b"")
    return [
        str(compiled("load")),
        str(exchange.port),
        str(request),
        "-" if exchange.content is None else str(content),
        *(str(number) for number in (shape.connections, shape.ramp_seconds, shape.warm_seconds, shape.seconds)),
        "drain" if shape.drains else "leave",
    ]


def _output(output: IO[bytes], begins: Callable[[], None], ends: Callable[[], None]) -> bytes | None:
    """What is written after the two marks; None where they did not come."""
    for word, call in ((b"begin\n", begins), (b"end\n", ends)):
        if output.readline() != word:
            return None
        call()
    return output.read()


def _read(output: bytes, shape: Shape) -> Load:
    line, _, numbers = output.partition(b"\n")
    answers, all_answers, *counts = map(int, line.split())
    latencies, firsts, delays = _split(numbers, counts)
    return Load(answers, all_answers, shape.seconds, latencies, firsts, delays)


def _split(numbers: bytes, counts: list[int]) -> "list[array[int]]":
    found, at = [], 0
    for count in counts:
        values: array[int] = array("q")
        values.frombytes(numbers[at : at + count * values.itemsize])
        at += count * values.itemsize
        found.append(values)
    return found
