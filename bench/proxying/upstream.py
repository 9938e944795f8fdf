"""The mock upstream as a process: answers from precomputed bytes, whole or one event at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.proxying.processes import first_line, program
from bench.proxying.programs import compiled
from bench.proxying.traffic import EVENT_MILLISECONDS, Workload, workloads


def write_workloads(folder: Path) -> tuple[Path, ...]:
    """Puts the bytes of every exchange into files, as the programs read them; gives a path without ending for each."""
    return tuple(_written(folder, workload) for workload in workloads().values())


@contextmanager
def upstream(folder: Path, *, lenient: bool = False) -> Iterator[int]:
    """Runs until the block ends; gives the port. Raises BenchError.

    A body that differs in one byte is answered with 409. `lenient` is for peers that write the body anew.
    """
    command = (str(compiled("upstream")), "lenient" if lenient else "strict", *map(str, write_workloads(folder)))
    with program(*command) as process:
        line = first_line(process.stdout)
        if not line.strip().isdigit():
            raise BenchError("the mock upstream did not start")
        yield int(line)


def _written(folder: Path, workload: Workload) -> Path:
    path = folder / workload.name
    path.with_suffix(".body").write_bytes(workload.body)
    path.with_suffix(".answer").write_bytes(workload.answer)
    if workload.pieces:
        numbers = (EVENT_MILLISECONDS * 1000, *workload.pieces)
        path.with_suffix(".pieces").write_text(" ".join(map(str, numbers)), encoding="ascii")
    return path
