"""Removes what has reached its end, as the generated declarations say, and leaves evidence of it.

`run_retention` carries the rules out, `find_overdue` says what should be gone by now, `run_worker` does the former on
schedule. Left out: what counts as data and how long it is kept; that is declared.
"""

from crouter.runtime.retention.options import Outcome, Progress, RetentionOptions, RetentionRefusedError, RunResult
from crouter.runtime.retention.overdue import Overdue, find_overdue
from crouter.runtime.retention.run import run_retention

__all__ = [
    "Outcome",
    "Overdue",
    "Progress",
    "RetentionOptions",
    "RetentionRefusedError",
    "RunResult",
    "find_overdue",
    "run_retention",
]
