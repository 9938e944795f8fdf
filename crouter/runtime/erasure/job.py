"""The job that carries deletions on, and gives warnings of requests whose deadline comes near."""

from collections.abc import Mapping

from crouter.contract.deployment import Deployment
from crouter.runtime.erasure.deletions import JOB
from crouter.runtime.erasure.progress import Progress
from crouter.runtime.erasure.vendors import is_production, read_vendors, vendor_erasers
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.rights import are_declared, rights_of
from crouter.runtime.settings import read_store_settings


async def carry_on(context: JobContext) -> None:
    """Everything that can be done now. Raises DatabaseError."""
    rights = rights_of(context.deployment, context.database, read_store_settings(context.environ))
    assert rights is not None, "the job is not needed otherwise"
    async with vendor_erasers(context.deployment, context.environ, context.log) as known:
        progress = Progress(
            context.deployment,
            context.database,
            rights.sealer,
            rights.deletions,
            known,
            everything_is_set_up=is_production(context.environ),
        )
        done = await progress.go_on(context.now())
    for event, count in (("erasures_ended", done.ended), ("erasure_steps_failed", done.failed)):
        if count:
            context.log.info(event, count=count)
    if done.late:
        context.log.error("erasures_late", count=done.late)


async def warn(context: JobContext) -> None:
    """A warning in the log for each request that is due soon or late, once for each stage. Raises DatabaseError."""
    rights = rights_of(context.deployment, context.database, read_store_settings(context.environ))
    assert rights is not None, "the job is not needed otherwise"
    now = context.now()
    warned = await rights.requests.warn(now)
    late = [request for request in warned if request.due_at <= now]
    if len(warned) > len(late):
        context.log.warning("privacy_requests_due", count=len(warned) - len(late))
    if late:
        context.log.error("privacy_requests_late", count=len(late))


def _settings(deployment: Deployment, environ: Mapping[str, str]) -> object:
    return read_store_settings(environ)


def _all_settings(deployment: Deployment, environ: Mapping[str, str]) -> object:
    return read_store_settings(environ), read_vendors(deployment, environ)


ERASURES_JOB = Job(
    name=JOB,
    policy_path="retention.deletion",
    every=minutes(5),
    run=carry_on,
    is_needed=are_declared,
    settings=_all_settings,
)
REQUESTS_JOB = Job(
    name="requests", policy_path="requests", every=minutes(15), run=warn, is_needed=are_declared, settings=_settings
)
