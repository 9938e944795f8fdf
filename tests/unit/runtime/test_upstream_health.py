from crouter.contract.observation import Metric
from crouter.runtime.metrics import Metrics
from crouter.runtime.proxy.upstream_keys import REFUSALS, Outcome, Report, Taken, UpstreamKeys
from crouter.runtime.secret import Secret
from crouter.runtime.upstream_health import AttemptCounts, show_upstream_keys

DECLARED = (
    Metric(name="crouter_upstream_attempts_total", help="a", labels=("key", "outcome")),
    Metric(name="crouter_upstream_key_state", help="a", labels=("key", "state"), kind="gauge"),
    Metric(name="crouter_upstream_in_flight", help="a", labels=("key",), kind="gauge"),
)


def test_an_operator_sees_a_refused_key_and_its_attempts_by_label_only() -> None:
    metrics, keys = Metrics(DECLARED), UpstreamKeys([Secret("sk-canary"), Secret("sk-other-canary")], lambda: 0.0)
    attempts = AttemptCounts(metrics)
    show_upstream_keys(metrics, keys)
    for _ in range(REFUSALS.failures_min):
        taken = keys.take(without=("key_2",))
        assert isinstance(taken, Taken)
        assert 'crouter_upstream_in_flight{key="key_1"} 1.0' in metrics.exposition().decode()
        keys.give_back(taken, Report(Outcome.REFUSED))
        attempts.add(taken, Outcome.REFUSED)
    text = metrics.exposition().decode()
    assert 'crouter_upstream_key_state{key="key_1",state="refused"} 1.0' in text
    assert 'crouter_upstream_key_state{key="key_1",state="healthy"} 0.0' in text
    assert 'crouter_upstream_key_state{key="key_2",state="healthy"} 1.0' in text
    assert f'crouter_upstream_attempts_total{{key="key_1",outcome="refused"}} {REFUSALS.failures_min}.0' in text
    assert 'crouter_upstream_in_flight{key="key_1"} 0.0' in text
    assert "canary" not in text
