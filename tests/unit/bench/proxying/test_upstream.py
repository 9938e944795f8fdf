"""A changed byte, on the way there or on the way back, ends a run without a figure."""

from collections.abc import Iterator

import pytest

from bench.errors import BenchError
from bench.proxying.load import Exchange, drive
from bench.proxying.processes import module
from bench.proxying.traffic import Workload, workloads

SECONDS = 0.1


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with module("bench.proxying.upstream") as (_, port):
        yield port


@pytest.mark.parametrize("workload", workloads(), ids=lambda workload: workload.name)
def test_what_comes_through_unchanged_is_counted(workload: Workload, port: int) -> None:
    load = drive(Exchange(port, workload.request(port, "key"), workload.content), 2, SECONDS, check_all=True)
    assert load.answers > 0
    assert load.all_answers == len(load.latencies_ns) == load.answers + 2


@pytest.mark.parametrize("workload", workloads(), ids=lambda workload: workload.name)
def test_a_request_changed_on_the_way_is_found(workload: Workload, port: int) -> None:
    request = workload.request(port, "key").replace(b"proxy", b"proxX", 1)
    with pytest.raises(BenchError, match="409"):
        drive(Exchange(port, request, workload.content), 2, SECONDS)


@pytest.mark.parametrize("workload", workloads(), ids=lambda workload: workload.name)
def test_an_answer_changed_on_the_way_is_found(workload: Workload, port: int) -> None:
    content = workload.content[:-1] + b"x"
    with pytest.raises(BenchError, match="came through"):
        drive(Exchange(port, workload.request(port, "key"), content), 2, SECONDS, check_all=True)
