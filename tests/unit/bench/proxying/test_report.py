"""A result is told without leaving out what went wrong, and drawn as the same bytes each time."""

from array import array
from pathlib import Path

import pytest

from bench.figures import Repeated
from bench.proxying.features import BARE, Feature
from bench.proxying.field import CROUTER, DIRECT, LITELLM, NGINX
from bench.proxying.load import Load
from bench.proxying.loads import KINDS, Plan
from bench.proxying.plots import draw
from bench.proxying.report import report, values
from bench.proxying.run import Proxying
from bench.proxying.samples import Cell, Sample, Used
from bench.proxying.traffic import JSON, STREAM

PEERS = (DIRECT, NGINX, CROUTER)


def sample(answers: int, *, has_proxy: bool) -> Sample:
    times = array("q", [place * 1000 + 50_000 for place in range(answers)])
    return Sample.of(Load(answers, answers, 1.0, times, times, times), Used(0.4, 0.5, 1.0, 40.0), has_proxy=has_proxy)


@pytest.fixture
def result() -> Proxying:
    cells = tuple(
        Cell(
            kind.name,
            kind.title,
            kind.connections,
            {peer: [sample(1000 - 400 * at, has_proxy=peer != DIRECT)] for at, peer in enumerate(PEERS)},
        )
        for kind in KINDS
    )
    cells[-1].failed[NGINX] = "a connection was closed"
    features = tuple(
        Feature(
            name,
            {each: Repeated((cost,)) for each in (JSON, STREAM)},
            {each: Repeated((9.0,)) for each in (JSON, STREAM)},
        )
        for name, cost in ((BARE, 100.0), ("key check", 112.5))
    )
    return Proxying(
        plan=Plan.of(quick=True),
        peers=PEERS,
        absent={LITELLM: "not installed"},
        versions={NGINX: "1.2.3"},
        identity={peer: {JSON: "same bytes"} for peer in PEERS},
        cells=cells,
        sweep=(),
        idle_mib={NGINX: 9.0, CROUTER: 50.0},
        features=(*features, Feature("limits", {}, {}, failed="it broke")),
        leaving_ms={CROUTER: (3.0, 1.0, 2.0)},
        by_wrk={NGINX: 1234.5},
        answered=10,
        metered=9,
    )


@pytest.mark.parametrize(
    "told",
    [
        "**LiteLLM is left out: not installed.**",
        "**nginx failed under 2,000 paced streams: a connection was closed.**",
        "**Crouter up to limits failed: it broke.**",
        "has metered 9: **THESE HAVE TO BE EQUAL.**",
        "nginx 1.2.3",
        "10% of the proxies' core",
        "nginx 1,234",
        "+12.5",
        "leaves Crouter: the upstream knows after 2.00 ms (p50), 3.00 ms (p99) and 3.00 ms at most, of 3.",
        "| JSON answers/s, of nginx ",
        "not measured",
        "**500 paced streams**",
    ],
)
def test_what_happened_is_told(result: Proxying, told: str) -> None:
    assert told in report(result)


def test_every_row_of_a_table_has_as_many_cells(result: Proxying) -> None:
    for block in report(result).split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_the_ratio_is_crouters_median_over_nginx(result: Proxying) -> None:
    goals = {goal["sentence"]: goal for goal in values(result)["goals"]}
    assert goals["JSON answers/s, of nginx"]["measured"] == pytest.approx(200 / 600)


def test_the_same_result_is_drawn_as_the_same_bytes(result: Proxying, tmp_path: Path) -> None:
    first, second = draw(result, tmp_path / "a"), draw(result, tmp_path / "b")
    assert [path.name for path in first] == ["throughput.svg", "latency.svg", "streams.svg", "features.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert all(CROUTER in path.read_text(encoding="utf-8") for path in first[:3])
