from crouter.runtime.proxy.circuit import Circuit, CircuitRules

RULES = CircuitRules(failures_min=3, open_seconds=10, open_seconds_max=35)


def opened(now: float = 100.0) -> Circuit:
    circuit = Circuit(RULES)
    for _ in range(3):
        circuit.failed(now, was_probe=circuit.begin())
    return circuit


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    circuit = Circuit(RULES)
    for _ in range(20):
        circuit.failed(100, was_probe=False)
        circuit.failed(100, was_probe=False)
        circuit.succeeded(was_probe=False)
    assert circuit.state(100) == "closed"
    assert opened().state(100) == "open"
    assert not opened().may_pass(109.9)


def test_after_its_time_one_probe_passes_and_closes_it() -> None:
    circuit = opened()
    assert circuit.state(110) == "probing"
    assert circuit.may_pass(110)
    assert circuit.begin()
    assert not circuit.may_pass(110)
    circuit.succeeded(was_probe=True)
    assert circuit.state(110) == "closed"
    assert circuit.is_new(110)


def test_each_failed_probe_doubles_the_time_up_to_its_bound() -> None:
    circuit, now, waited = opened(), 100.0, []
    for _ in range(5):
        waited.append(circuit.waits(now))
        now += circuit.waits(now)
        circuit.failed(now, was_probe=circuit.begin())
    assert waited == [10, 20, 35, 35, 35]


def test_failures_that_began_before_it_opened_do_not_count_again() -> None:
    circuit = opened()
    for _ in range(50):
        circuit.failed(105, was_probe=False)
        circuit.succeeded(was_probe=False)
    assert circuit.waits(100) == 10
    assert circuit.state(110) == "probing"


def test_a_probe_that_told_nothing_makes_way_for_another() -> None:
    circuit = opened()
    circuit.unknown(was_probe=circuit.begin())
    assert circuit.may_pass(110)
    assert circuit.begin()


def test_a_rest_ends_by_itself_and_the_longest_counts() -> None:
    circuit = Circuit(RULES)
    circuit.rest(130)
    circuit.rest(120)
    assert (circuit.state(129), circuit.waits(100), circuit.is_new(100)) == ("open", 30, False)
    assert (circuit.state(130), circuit.may_pass(130), circuit.is_new(130)) == ("closed", True, True)
