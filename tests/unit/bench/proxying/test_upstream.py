"""The load and the mock upstream together: what is counted, and that a changed byte ends a run without a figure."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.proxying.dialects import Dialect
from bench.proxying.load import Exchange, Load, Shape, drive
from bench.proxying.traffic import EVENT_MILLISECONDS, EVENTS, JSON, LARGE, PACED, STREAM, Workload, workloads
from bench.proxying.upstream import upstream

pytestmark = pytest.mark.usefixtures("compiler")
UNPACED = (JSON, LARGE, STREAM)
BRIEF = Shape(connections=2, seconds=0.1, warm_seconds=0.05)


@pytest.fixture(scope="module")
def port(compiler: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with upstream(tmp_path_factory.mktemp("strict")) as port:
        yield port


@pytest.fixture(scope="module")
def lenient_port(compiler: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with upstream(tmp_path_factory.mktemp("lenient"), lenient=True) as port:
        yield port


def request(workload: Workload, port: int) -> bytes:
    return Dialect().request(workload, port, "key")


def driven(exchange: Exchange, shape: Shape = BRIEF) -> Load:
    marks: list[str] = []
    load = drive(exchange, shape, begins=lambda: marks.append("begins"), ends=lambda: marks.append("ends"))
    assert marks == ["begins", "ends"]
    return load


@pytest.mark.parametrize("name", UNPACED)
def test_what_comes_through_unchanged_is_counted(name: str, port: int) -> None:
    workload = workloads()[name]
    load = driven(Exchange(port, request(workload, port), workload.content))
    assert 0 < load.answers < load.all_answers
    assert load.answers == len(load.latencies)
    assert load.firsts
    assert not load.delays
    assert 0 < min(load.latencies) < 1e9


def test_paced_streams_come_event_by_event_with_the_time_of_sending(port: int) -> None:
    workload = workloads()[PACED]
    shape = Shape(connections=3, seconds=0.2, warm_seconds=EVENT_MILLISECONDS * EVENTS / 1000, ramp_seconds=0.1)
    load = driven(Exchange(port, request(workload, port), workload.content), shape)
    assert load.all_answers >= 3
    assert load.delays
    assert 0 < min(load.delays) < 1e9
    # A stream takes as long as its events are apart.
    assert all(latency > EVENT_MILLISECONDS * (EVENTS - 1) * 0.9e6 for latency in load.latencies)


@pytest.mark.parametrize("name", UNPACED)
def test_a_request_changed_on_the_way_is_found(name: str, port: int) -> None:
    workload = workloads()[name]
    changed = request(workload, port).replace(b"proxy", b"proxX", 1)
    with pytest.raises(BenchError, match="409"):
        driven(Exchange(port, changed, workload.content))


@pytest.mark.parametrize("name", [*UNPACED, PACED])
@pytest.mark.parametrize("place", [0, 700, -1])
def test_an_answer_changed_on_the_way_is_found(name: str, place: int, port: int) -> None:
    workload = workloads()[name]
    content = bytearray(workload.content)
    content[place] ^= 1
    with pytest.raises(BenchError, match="something else came through"):
        driven(Exchange(port, request(workload, port), bytes(content)), Shape(2, 0.2, 1.1))


@pytest.mark.parametrize("name", UNPACED)
def test_an_answer_that_is_cut_off_or_too_long_is_found(name: str, port: int) -> None:
    workload = workloads()[name]
    with pytest.raises(BenchError, match="less came through"):
        driven(Exchange(port, request(workload, port), workload.content + b"x"))
    with pytest.raises(BenchError, match="more came through"):
        driven(Exchange(port, request(workload, port), workload.content[:-1]))


def test_a_body_written_anew_is_known_by_its_name(lenient_port: int) -> None:
    workload = workloads()[STREAM]
    shortened = Dialect(openai_model="any").request(workload, lenient_port, "key")
    assert driven(Exchange(lenient_port, shortened, workload.content)).answers > 0


def test_a_body_in_chunks_is_understood(lenient_port: int) -> None:
    workload = workloads()[JSON]
    head = request(workload, lenient_port).partition(b"\r\n\r\n")[0]
    head = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
    pieces = [workload.body[at : at + 1000] for at in range(0, len(workload.body), 1000)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    chunked = head + b"\r\n\r\n" + chunks + b"0\r\n\r\n"
    assert driven(Exchange(lenient_port, chunked, workload.content)).answers > 0


def test_nobody_at_the_port_is_told(tmp_path: Path) -> None:
    with upstream(tmp_path) as port:
        pass
    with pytest.raises(BenchError, match="cannot connect"):
        driven(Exchange(port, b"", b""))
