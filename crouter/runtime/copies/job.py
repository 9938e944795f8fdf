"""The job that makes copies: one after the other, each in a thread of its own, until none waits."""

import asyncio
from collections.abc import Mapping
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.copies.making import CopyEndedError, make_copy
from crouter.runtime.copies.store import CopyRow
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.requests import states
from crouter.runtime.requests.states import NotPossibleError
from crouter.runtime.requests.store import NoSuchRequestError
from crouter.runtime.rights import Rights, are_declared, rights_of
from crouter.runtime.settings import StoreSettings, read_store_settings

JOB: Final = "copies"
SECONDS_MAX: Final = 4 * 3600.0


async def make_copies(context: JobContext) -> None:
    """Every copy that waits. Raises DatabaseError, with the copy under way to be begun anew."""
    store = read_store_settings(context.environ)
    rights = rights_of(context.deployment, context.database, store)
    assert rights is not None, "the job is not needed otherwise"
    while not context.stopped() and (copy := await rights.copies.next(context.now())) is not None:
        await _make(context, rights, store, copy)


async def _make(context: JobContext, rights: Rights, store: StoreSettings, copy: CopyRow) -> None:
    try:
        size = await asyncio.to_thread(make_copy, store, context.deployment, copy.id, copy.account, context.stopped)
    except CopyEndedError:
        await rights.copies.fail(copy.id, again=context.stopped(), now=context.now())
        return
    except Exception:
        await rights.copies.fail(copy.id, again=True, now=context.now())
        raise
    now = context.now()
    async with context.database.transaction() as connection:
        if await rights.copies.ready(connection, copy.id, size):
            until = {"until": rights.copies.until(copy.made_at)}
            await rights.notices.tell(connection, copy.account, "copy_ready", until)
    try:
        await rights.requests.move(copy.request, lambda request: states.answered(request, now))
    except (NoSuchRequestError, NotPossibleError):
        # Answered before, by a copy that was made for it twice; or gone with its account.
        return


def _settings(deployment: Deployment, environ: Mapping[str, str]) -> object:
    return read_store_settings(environ)


COPIES_JOB = Job(
    name=JOB,
    policy_path="rights.access",
    every=minutes(5),
    run=make_copies,
    seconds_max=SECONDS_MAX,
    is_needed=are_declared,
    settings=_settings,
)
