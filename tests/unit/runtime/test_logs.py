import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.logs import Log, UndeclaredFieldError
from tests.unit.runtime.declarations import SERVICE_LOG

NOON = datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2)))
REQUEST_ID = "req_" + "0123456789abcdef" * 2


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_holds_the_declared_fields_as_json_in_utc() -> None:
    out = io.StringIO()
    Log(SERVICE_LOG, out, clock=NOON.timestamp).info("answered", request_id=REQUEST_ID, status=200)
    assert lines(out) == [
        {
            "time": "2026-11-23T12:00:00.000Z",
            "level": "info",
            "event": "answered",
            "request_id": REQUEST_ID,
            "status": 200,
        }
    ]


@pytest.mark.claim("exclude-content")
@pytest.mark.claim("exclude-location")
@pytest.mark.parametrize(
    "field",
    [
        {"prompt": "word"},
        {"error": "two words"},
        {"error": ""},
        {"error": "x" * 81},
        {"error": "line\nbreak"},
        {"error": 5},
        {"status": "200"},
        {"status": True},
        {"status": float("nan")},
        {"request_id": "req_client-made"},
        {"request_id": "word"},
    ],
)
def test_exclude_content__an_undeclared_field_or_value_is_dropped_and_counted(field: dict[str, Any]) -> None:
    out = io.StringIO()
    dropped: list[str] = []
    Log(SERVICE_LOG, out, dropped=dropped.append).info("answered", **field)
    assert lines(out)[0].keys() == {"time", "level", "event"}
    assert dropped == ["service"]


def test_a_strict_log_raises_and_does_not_repeat_the_value() -> None:
    log = Log(SERVICE_LOG, io.StringIO(), strict=True)
    with pytest.raises(UndeclaredFieldError) as caught:
        log.info("answered", error="canary canary")
    assert "canary" not in str(caught.value)


@pytest.mark.claim("exclude-content")
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.floats())))
def test_whatever_it_is_given_a_line_is_one_line_of_declared_fields(fields: dict[str, Any]) -> None:
    out = io.StringIO()
    for name in ("event", "level", "self"):
        fields.pop(name, None)
    Log(SERVICE_LOG, out).info("answered", **fields)
    (line,) = lines(out)
    assert line.keys() <= {field.name for field in SERVICE_LOG.fields}


def test_a_log_nobody_reads_any_more_does_not_stop_the_service() -> None:
    out = io.StringIO()
    out.close()
    Log(SERVICE_LOG, out).info("answered")


def test_the_clock_is_utc_without_being_told() -> None:
    out = io.StringIO()
    Log(SERVICE_LOG, out).info("answered")
    assert abs(datetime.fromisoformat(lines(out)[0]["time"]) - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_pattern_writes_the_line_that_would_be_written_without_it() -> None:
    out = io.StringIO()
    log = Log(SERVICE_LOG, out, strict=True, clock=NOON.timestamp)
    log.info("answered", request_id=REQUEST_ID, status=200)
    log.pattern("info", "answered", request_id="request_id", number="status").write(REQUEST_ID, 200)
    first, second = out.getvalue().splitlines()
    assert first == second


@pytest.mark.claim("exclude-content")
def test_exclude_content__a_pattern_drops_and_counts_what_is_not_declared_every_time() -> None:
    out = io.StringIO()
    dropped: list[str] = []
    log = Log(SERVICE_LOG, out, dropped=dropped.append)
    pattern = log.pattern("info", "answered", request_id="request_id", number="status", prompt="canary")
    pattern.write(REQUEST_ID, 200)
    log.pattern("info", "answered", request_id="request_id", number="status").write("canary canary", 200)
    assert "canary" not in out.getvalue()
    assert dropped == ["service", "service"]
    assert [line["status"] for line in lines(out)] == [200, 200]


def test_lines_of_a_pattern_wait_for_one_another_and_for_nothing_else() -> None:
    out = io.StringIO()
    log = Log(SERVICE_LOG, out)
    pattern = log.pattern("info", "answered", request_id="request_id", number="status")
    scheduled: list[Any] = []
    with log.buffered(lambda delay, flush: scheduled.append(flush)):
        pattern.write(REQUEST_ID, 200)
        pattern.write(REQUEST_ID, 201)
        assert out.getvalue() == ""
        (flush,) = scheduled
        flush()
        assert [line["status"] for line in lines(out)] == [200, 201]
        pattern.write(REQUEST_ID, 202)
        log.warning("answered", status=500)
        assert [line["status"] for line in lines(out)][2:] == [202, 500]
        pattern.write(REQUEST_ID, 203)
    assert [line["status"] for line in lines(out)][4:] == [203]
