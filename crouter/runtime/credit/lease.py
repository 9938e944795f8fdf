"""A lease of credit in this process's hands, and what is held of it. Arithmetic only.

`granted` is what the database has set aside for this process. Of it, `held` belongs to requests under way, and
`pending` is charged in the journal and not yet in the ledger; the rest is free. Free credit may be below zero: an
upstream reported more than was held.
"""

import uuid


class Holds:
    """Counts the holds of all leases: those that are open, and those that were dropped without being closed."""

    __slots__ = ("leaked", "open")

    def __init__(self) -> None:
        self.open = 0
        self.leaked = 0


class Lease:
    """The lease of one account. `usable_until` is by the process's own clock, before the database's end of it."""

    __slots__ = (
        "account",
        "closing",
        "doubtful",
        "granted",
        "held",
        "holds",
        "id",
        "in_flight",
        "leased_at",
        "operations",
        "pending",
        "portion",
        "scarce_until",
        "usable_until",
        "used_at",
    )

    def __init__(self, id_: uuid.UUID, account: uuid.UUID, portion: int, holds: Holds) -> None:
        self.id = id_
        self.account = account
        self.granted = 0
        self.held = 0
        self.pending = 0
        self.usable_until = 0.0
        self.used_at = 0.0
        # How much more than needed is leased the next time, and since when somebody else lacks it.
        self.portion = portion
        self.leased_at = 0.0
        self.scarce_until = 0.0
        # Statements that change it in the database: begun so far, under way, and whether one ended without a word.
        self.operations = 0
        self.in_flight = 0
        self.doubtful = False
        self.closing = False
        self.holds = holds

    @property
    def free(self) -> int:
        """Nanodollars that can be held."""
        return self.granted - self.held - self.pending

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs on it."""
        return self.held == 0 and self.pending == 0

    def begin(self) -> None:
        """A statement that changes the lease in the database is on its way."""
        self.operations += 1
        self.in_flight += 1

    def end(self) -> None:
        """It is known what became of it, or it is known that this is not known."""
        self.in_flight -= 1

    def hold(self, nanousd: int) -> "Hold":
        """Takes free credit."""
        self.held += nanousd
        self.holds.open += 1
        return Hold(self, nanousd)


class Hold:
    """What one request may cost at most. Closed exactly once: released, or settled for what it did cost.

    `beside` are holds of the same request on other leases, which end with this one.
    """

    __slots__ = ("_is_open", "beside", "lease", "nanousd")

    def __init__(self, lease: Lease, nanousd: int) -> None:
        self.lease = lease
        self.nanousd = nanousd
        self.beside: tuple[Hold, ...] = ()
        self._is_open = True

    @property
    def is_open(self) -> bool:
        return self._is_open

    def close(self, cost_nanousd: int = 0) -> None:
        """Frees the lease of it; a cost stays pending until it is in the ledger."""
        assert self._is_open, "a hold is closed once"
        self._is_open = False
        lease = self.lease
        lease.holds.open -= 1
        lease.held -= self.nanousd
        lease.pending += cost_nanousd
        for other in self.beside:
            other.close(cost_nanousd)

    def __del__(self) -> None:
        # Whoever drops a hold without closing it has a bug; the credit comes back all the same.
        if self._is_open:
            self.close()
            self.lease.holds.leaked += 1
