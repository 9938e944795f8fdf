"""Every job of the service is there once."""

from crouter.runtime.jobs.registry import JOBS


def test_every_job_has_a_name_of_its_own() -> None:
    assert len({job.label for job in JOBS}) == len(JOBS)
