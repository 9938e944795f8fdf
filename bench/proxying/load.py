"""Runs the load against one peer and reads what it saw. What does not come back as it was sent ends the run."""

import subprocess
import tempfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
        command = _command(exchange, shape, Path(folder))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            try:
                return _read(process, shape, begins, ends)
            finally:
                process.kill()


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


def _read(
    process: "subprocess.Popen[bytes]", shape: Shape, begins: Callable[[], None], ends: Callable[[], None]
) -> Load:
    output, errors = process.stdout, process.stderr
    assert output is not None
    assert errors is not None
    for word, call in ((b"begin\n", begins), (b"end\n", ends)):
        if output.readline() != word:
            raise BenchError(errors.read().decode().strip() or "the load ended too early")
        call()
    try:
        rest, said = process.communicate(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"answers were still under way after {_GRACE_SECONDS:.0f} s") from None
    if process.returncode:
        raise BenchError(said.decode().strip() or "the load ended too early")
    line, _, numbers = rest.partition(b"\n")
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
