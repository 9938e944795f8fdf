"""Runs a rule in tiny batches and says so after each, so that a test can kill it in the middle.

Usage: run_slowly.py FOLDER DSN RULE
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from crouter.runtime.retention import Progress, RetentionOptions, run_retention
from tests.unit.runtime.retention.databases import declared_in


def main(folder: Path, dsn: str, rule: str) -> None:
    def tell(progress: Progress) -> None:
        sys.stdout.write(f"{progress.record} {progress.removed}\n")
        sys.stdout.flush()
        time.sleep(0.05)

    options = RetentionOptions(rule=rule, as_of=datetime(2026, 11, 1, 12, tzinfo=UTC), batch_rows=7)
    run_retention(dsn, declared_in(folder).deployment, options, tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
