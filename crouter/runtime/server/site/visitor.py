"""Who looks at a page: somebody who is signed in, or nobody that we know."""

import uuid
from dataclasses import dataclass
from typing import Protocol

from crouter.runtime.server.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `form_token` stands in every form that changes something, under that name."""

    account: uuid.UUID
    session: uuid.UUID
    form_token: str
    is_operator: bool = False


class Visitors(Protocol):
    """Finds out who a request comes from."""

    async def of(self, exchange: Exchange) -> Visitor | None:
        """The visitor, None for nobody that is signed in. Raises DatabaseError."""

    async def close(self) -> None:
        """Ends what is under way, when nobody asks any more."""
