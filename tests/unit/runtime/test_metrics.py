import pytest

from crouter.contract.observation import Metric
from crouter.runtime.metrics import SERIES_MAX, Metrics, Shown
from crouter.runtime.words import is_word, kind_of
from tests.unit.runtime.declarations import DEPLOYMENT


@pytest.mark.claim("exclude-content")
def test_only_declared_counters_and_labels_and_words_are_counted() -> None:
    metrics = Metrics(DEPLOYMENT.metrics)
    metrics.count("crouter_requests_total", route="messages", status="200", account="canary")
    metrics.count("crouter_requests_total", route="canary canary", status="200")
    metrics.count("crouter_canary_total", route="messages")
    text = metrics.exposition().decode()
    assert 'crouter_requests_total{route="messages",status="200"} 1.0' in text
    assert 'crouter_requests_total{route="other",status="200"} 1.0' in text
    assert "canary" not in text
    assert "_created" not in text


def test_an_exceptions_word_is_its_type_and_none_of_its_text() -> None:
    odd = type("Odd Error\n", (Exception,), {})
    assert kind_of(ValueError("canary")) == "ValueError"
    assert is_word(kind_of(odd("canary")))
    assert kind_of(None) == "unknown"


def test_what_an_upstream_names_cannot_make_the_metrics_grow_without_bound() -> None:
    metrics = Metrics(DEPLOYMENT.metrics)
    for number in range(SERIES_MAX + 50):
        metrics.count("crouter_requests_total", route=f"unknown:key{number}", status="200")
    lines = [line for line in metrics.exposition().decode().splitlines() if line.startswith("crouter_requests_total{")]
    assert len(lines) == SERIES_MAX + 1
    assert 'crouter_requests_total{route="other",status="other"} 50.0' in lines


GAUGE = Metric(name="crouter_key_state", help="a state", labels=("key", "state"), kind="gauge")


@pytest.mark.claim("exclude-content")
def test_a_gauge_shows_declared_labels_as_they_are_when_it_is_asked() -> None:
    metrics, value = Metrics((*DEPLOYMENT.metrics, GAUGE)), 1.0

    def read() -> Shown:
        yield {"key": "key_1", "state": "healthy", "account": "canary"}, value
        yield {"key": "canary canary", "state": "resting"}, 0.0

    metrics.show("crouter_key_state", read)
    metrics.show("crouter_canary", read)
    assert "# TYPE crouter_key_state gauge" in metrics.exposition().decode()
    assert 'crouter_key_state{key="key_1",state="healthy"} 1.0' in metrics.exposition().decode()
    value = 7.0
    text = metrics.exposition().decode()
    assert 'crouter_key_state{key="key_1",state="healthy"} 7.0' in text
    assert 'crouter_key_state{key="other",state="resting"} 0.0' in text
    assert "canary" not in text


def test_a_gauge_that_nobody_shows_and_one_with_too_many_values_stay_bounded() -> None:
    metrics = Metrics((GAUGE,))
    assert metrics.exposition() == b""
    metrics.show("crouter_key_state", lambda: (({"key": f"key_{n}"}, 1.0) for n in range(10 * SERIES_MAX)))
    assert len(metrics.exposition().splitlines()) == SERIES_MAX + 2


def test_a_gauge_is_no_counter() -> None:
    metrics = Metrics((GAUGE,))
    metrics.count("crouter_key_state", key="key_1", state="healthy")
    assert metrics.exposition() == b""
