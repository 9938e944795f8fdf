"""Lines for the log, sentences for a person, JSON for a script."""

import io
import json
from datetime import UTC, datetime

import pytest

from crouter.contract.observation import LogField, LogStream
from crouter.runtime.logs import Log
from crouter.runtime.retention import Overdue, RunResult
from crouter.runtime.retention.report import as_json, log_overdue, log_result, overdue_sentence, result_sentence

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMPLETE = RunResult("usage", "complete", AS_OF, 12, 12, 3.5, 1500)
REFUSED = RunResult("usage", "refused", AS_OF, 0, 900, 60.0, 4, "implausible_share", "too many rows")
FIELDS = {
    **{"time": "timestamp", "level": "word", "event": "word", "rule": "word", "as_of": "timestamp"},
    **{"removed": "number", "share_percent": "number", "duration_ms": "number", "error": "word"},
}


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(out: io.StringIO) -> Log:
    """The stream as policy.yaml declares it; anything else in a line is an error."""
    fields = tuple(LogField(name, kind) for name, kind in FIELDS.items())  # type: ignore[arg-type]
    return Log(LogStream("retention", fields), out, strict=True, clock=AS_OF.timestamp)


def test_a_line_for_each_end_holds_declared_fields_only(log: Log, out: io.StringIO) -> None:
    log_result(log, COMPLETE)
    log_result(log, REFUSED)
    log_overdue(log, [Overdue("deletion", "account", "owners", 3)])
    complete, refused, overdue = (json.loads(line) for line in out.getvalue().splitlines())
    assert (complete["level"], complete["event"], complete["removed"]) == ("info", "run_complete", 12)
    assert (refused["level"], refused["event"], refused["error"]) == ("error", "run_refused", "implausible_share")
    assert (overdue["level"], overdue["rule"], overdue["error"]) == ("error", "deletion", "owners")


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (COMPLETE, "usage: removed 12 row(s) in 1.5 s"),
        (REFUSED, "usage: refused, 0 row(s) removed: too many rows"),
        (RunResult("usage", "dry_run", AS_OF, 0, 9, 1.0, 4), "usage: would remove 9 row(s)"),
    ],
)
def test_a_person_reads_a_sentence(result: RunResult, sentence: str) -> None:
    assert result_sentence(result) == sentence


@pytest.mark.parametrize(
    ("kind", "said"), [("rows", "3 row"), ("owners", "3 owner"), ("no_time", "nothing ends"), ("not_run", "worker")]
)
def test_what_is_overdue_is_a_sentence_too(kind: str, said: str) -> None:
    assert said in overdue_sentence(Overdue("usage", "usage", kind, 3))  # type: ignore[arg-type]


def test_json_holds_moments_as_iso_8601() -> None:
    (item,) = json.loads(as_json([COMPLETE]))
    assert item["as_of"] == "2026-11-01T12:00:00+00:00"
