"""Says how runs ended: as lines of the declared log stream, for a person, and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from crouter.runtime.logs import Log
from crouter.runtime.retention.options import RunResult
from crouter.runtime.retention.overdue import Overdue

RETENTION_LOG: Final = "retention"


def log_result(log: Log, result: RunResult) -> None:
    """One line for one rule; a run that could not do its work is an error."""
    log.write(
        "error" if result.outcome in ("failed", "refused") else "info",
        f"run_{result.outcome}",
        rule=result.rule,
        as_of=result.as_of,
        removed=result.removed,
        share_percent=result.share_percent,
        duration_ms=result.duration_ms,
        **({"error": result.error} if result.error else {}),
    )


def log_overdue(log: Log, overdue: Iterable[Overdue]) -> None:
    for item in overdue:
        log.error("overdue", rule=item.rule, error=item.kind)


def result_sentence(result: RunResult) -> str:
    """One line for a person."""
    if result.outcome == "dry_run":
        text = f"would remove {result.expected} row(s)"
    elif result.outcome == "complete":
        text = f"removed {result.removed} row(s) in {result.duration_ms / 1000:.1f} s"
    else:
        text = f"{result.outcome}, {result.removed} row(s) removed: {result.sentence}"
    return f"{result.rule}: {text}"


def overdue_sentence(item: Overdue) -> str:
    """One line for a person."""
    match item.kind:
        case "rows":
            return f"{item.rule}: {item.rows} row(s) should be gone from {item.record}"
        case "owners":
            return f"{item.rule}: the personal data of {item.rows} owner(s) should be gone from {item.record}"
        case "no_time":
            return (
                f"{item.rule}: {item.rows} row(s) of {item.record} do not say when their time begins; nothing ends them"
            )
        case "detached":
            return f"{item.rule}: {item.rows} partition(s) of {item.record} were taken out of it and still hold rows"
        case "no_partition":
            return f"{item.rule}: no partition of {item.record} is there for rows to come; is the table always in use?"
        case "not_run":
            return f"{item.rule}: has not run when it should have; is the worker up?"


def as_json(items: Iterable[RunResult | Overdue]) -> str:
    """A JSON array; moments are ISO 8601 in UTC."""
    return json.dumps([asdict(item) for item in items], default=lambda moment: moment.isoformat(), indent=2)
