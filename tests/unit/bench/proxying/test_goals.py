"""Whether a goal is met follows from the medians, and a figure that is missing meets nothing."""

from array import array

import pytest

from bench.proxying.field import CROUTER, DIRECT, LITELLM, NGINX
from bench.proxying.goals import Goal, goals
from bench.proxying.load import Load
from bench.proxying.loads import PACED_500, SMALL, SMALL_ONE
from bench.proxying.samples import Cell, Sample, Used


def sample(answers: int, microseconds: int = 100, *, cpu_seconds: float = 0.5, resident_mib: float = 50.0) -> Sample:
    times = array("q", [microseconds * 1000] * answers)
    load = Load(answers, answers, 1.0, times, times, times)
    return Sample.of(load, Used(cpu_seconds, 0.6, 1.0, resident_mib), has_proxy=True)


def cell(name: str, **samples: list[Sample]) -> Cell:
    return Cell(name, name, 64, {peer.replace("_", " "): found for peer, found in samples.items()})


def found(cells: tuple[Cell, ...], start: str, idle_mib: dict[str, float] | None = None) -> Goal:
    (goal,) = [each for each in goals(cells, idle_mib or {}, {}) if each.sentence.startswith(start)]
    return goal


@pytest.mark.parametrize(("crouter", "met"), [(100, True), (99, False)])
def test_half_of_nginx_is_met_from_half_on(crouter: int, met: bool) -> None:
    cells = (cell(SMALL, **{NGINX: [sample(190), sample(200), sample(900)], CROUTER: [sample(crouter)]}),)
    assert found(cells, "JSON answers/s, of nginx").met is met


def test_a_goal_without_a_figure_is_neither_met_nor_missed() -> None:
    assert {goal.met for goal in goals((), {}, {})} == {None}


@pytest.mark.parametrize(("slowest", "met"), [(250.0, True), (250.1, False)])
def test_a_client_that_leaves_is_judged_by_the_slowest_but_one_percent(slowest: float, met: bool) -> None:
    leaving_ms = {CROUTER: (*[1.0] * 98, slowest, 9000.0), NGINX: (9000.0,)}
    (goal,) = [goal for goal in goals((), {}, leaving_ms) if goal.sentence.startswith("a client that leaves")]
    assert (goal.measured, goal.met) == (slowest, met)


def test_a_peer_that_failed_under_a_load_has_no_figure() -> None:
    measured = cell(SMALL, **{NGINX: [sample(100)], CROUTER: [sample(100)]})
    measured.failed[CROUTER] = "it broke"
    assert found((measured,), "JSON answers/s, of nginx").met is None


def test_added_latency_is_judged_by_what_nginx_adds_here() -> None:
    cells = (cell(SMALL_ONE, **{DIRECT: [sample(9, 10)], NGINX: [sample(9, 72)], CROUTER: [sample(9, 95)]}),)
    goal = found(cells, "added latency, 1 connection, p50")
    assert (goal.measured, goal.bound) == (85.0, 80.0)
    assert not goal.met


def test_added_latency_is_not_judged_where_other_work_on_the_machine_is_what_was_measured() -> None:
    cells = (cell(SMALL_ONE, **{DIRECT: [sample(9, 10)], NGINX: [sample(9, 900)], CROUTER: [sample(9, 95)]}),)
    goal = found(cells, "added latency, 1 connection, p99")
    assert goal.measured == 85.0
    assert goal.met is None


def test_processor_time_for_an_event_is_that_of_the_window_over_its_events() -> None:
    cells = (cell(PACED_500, **{NGINX: [sample(50)], CROUTER: [sample(50, cpu_seconds=0.6)]}),)
    goal = found(cells, "CPU per paced event")
    assert goal.measured == pytest.approx(1.2)
    assert goal.met


def test_memory_and_gateways_have_bounds_of_their_own() -> None:
    cells = (
        cell(SMALL, **{LITELLM: [sample(2)], CROUTER: [sample(500)]}),
        cell(PACED_500, **{CROUTER: [sample(50, resident_mib=70.0)]}),
    )
    assert found(cells, f"JSON answers/s, of {LITELLM}").met
    assert found(cells, "resident, idle", {CROUTER: 64.0}).met
    assert not found(cells, "resident, 500 streams").met
