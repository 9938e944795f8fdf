"""Tests for `crouter.runtime.jobs.registry`."""

from collections import Counter

from crouter.runtime.jobs.registry import JOBS


def test_every_job_is_there_once() -> None:
    assert [name for name, times in Counter(job.name for job in JOBS).items() if times > 1] == []
    assert len({job.label for job in JOBS}) == len(JOBS)
