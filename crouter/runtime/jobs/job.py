"""What a job is, and what it is given to work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period, Schedule
from crouter.runtime.database.pool import Database
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.purposes import PurposeReader

SECONDS_MAX: Final = 900.0
LAG_MAX: Final = Period("PT1H", months=0, days=0, seconds=3600)


def minutes(count: int) -> Period:
    """A period for the rhythm of a job."""
    return Period(f"PT{count}M", months=0, days=0, seconds=60 * count)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job works with. `database` acts as the service, with a longer patience than requests have.

    `stopped()` says that the process wants to end: a job that works in batches looks at it between two of them.
    """

    deployment: Deployment
    generated: Path
    environ: Mapping[str, str]
    database: Database
    reader: PurposeReader
    outbox: Outbox
    log: Log
    now: Callable[[], datetime]
    stopped: Callable[[], bool]


def _always(deployment: Deployment) -> bool:
    return True


def _no_settings(deployment: Deployment, environ: Mapping[str, str]) -> object:
    return None


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work.

    `run` may be cut off at any moment and may, when a connection is lost, run twice at once: what it does goes in
    small transactions that claim their rows. What it raises ends this run and nothing else.
    """

    name: str
    """Lower-case, as in `mail`; in evidence and metrics it is `job.mail`."""
    policy_path: str
    """The part of policy.yaml that the job serves."""
    every: Period | None
    """A minute or more; None for work that is done only when `wake` asks for it."""
    run: Callable[[JobContext], Awaitable[None]]
    lag_max: Period = LAG_MAX
    """How late it may be before an alert is raised."""
    seconds_max: float = SECONDS_MAX
    """When one run is ended as a failure."""
    is_needed: Callable[[Deployment], bool] = field(default=_always)
    """Whether there is anything for it to do under this policy."""
    settings: Callable[[Deployment, Mapping[str, str]], object] = field(default=_no_settings)
    """Reads what it needs from the environment at the start, to refuse it: raises SettingsError."""

    @property
    def label(self) -> str:
        """Its name beside those of retention rules."""
        return f"job.{self.name}"

    @property
    def schedule(self) -> Schedule | None:
        return None if self.every is None else Schedule(self.every, self.lag_max)
