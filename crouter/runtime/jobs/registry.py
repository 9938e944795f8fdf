"""Every job of the service. A feature adds its own with one line."""

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Schedule
from crouter.runtime.copies.job import COPIES_JOB
from crouter.runtime.erasure.job import ERASURES_JOB, REQUESTS_JOB
from crouter.runtime.jobs.job import Job
from crouter.runtime.mail.delivery_job import DELIVER_MAIL
from crouter.runtime.mail.low_balance import TELL_LOW_BALANCE
from crouter.runtime.payments.jobs import BOOKS, PAYMENTS
from crouter.runtime.publishing.last_use import NOTE_LAST_USE
from crouter.runtime.reconciliation.job import RECONCILE

JOBS: tuple[Job, ...] = (
    DELIVER_MAIL,
    TELL_LOW_BALANCE,
    NOTE_LAST_USE,
    PAYMENTS,
    BOOKS,
    RECONCILE,
    COPIES_JOB,
    ERASURES_JOB,
    REQUESTS_JOB,
)
"""In no particular order: they do not wait for one another."""


def jobs_of(deployment: Deployment) -> tuple[Job, ...]:
    """The jobs that have something to do under this policy."""
    return tuple(job for job in JOBS if job.is_needed(deployment))


def job_schedules(deployment: Deployment) -> dict[str, Schedule]:
    """When each of them is late, by the name under which it is watched. Without those that only wait to be woken."""
    return {job.label: job.schedule for job in jobs_of(deployment) if job.schedule is not None}
