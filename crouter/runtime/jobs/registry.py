"""Every job of the service. A feature adds its own with one line."""

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Schedule
from crouter.runtime.jobs.job import Job
from crouter.runtime.payments.jobs import BOOKS, PAYMENTS

JOBS: tuple[Job, ...] = (PAYMENTS, BOOKS)
"""In no particular order: they do not wait for one another."""


def jobs_of(deployment: Deployment) -> tuple[Job, ...]:
    """The jobs that have something to do under this policy."""
    return tuple(job for job in JOBS if job.is_needed(deployment))


def job_schedules(deployment: Deployment) -> dict[str, Schedule]:
    """When each of them is late, by the name under which it is watched. Without those that only wait to be woken."""
    return {job.label: job.schedule for job in jobs_of(deployment) if job.schedule is not None}
