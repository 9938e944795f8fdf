"""Requests that are carried out without anybody's help: a copy begins when it is asked for."""

import uuid
from datetime import datetime

from crouter.runtime.jobs.wake import wake
from crouter.runtime.requests import states
from crouter.runtime.requests.states import Channel, Request
from crouter.runtime.rights import Rights


async def open_copy(
    rights: Rights, account: uuid.UUID, channel: Channel, now: datetime, job: str
) -> tuple[Request, uuid.UUID]:
    """The request for a copy and the copy that answers it; those under way if there are any. Raises DatabaseError."""
    async with rights.database.transaction() as connection:
        request = await rights.requests.open(connection, account, "copy", channel, now)
        copy, state = await rights.copies.ask(connection, account, request.id, now)
        if state == "ready":
            # There is one to take: that is the answer.
            request = await rights.requests.put(connection, request, lambda found: states.answered(found, now))
        elif state is None:
            await wake(connection, job)
    return request, copy
