"""What a check is, what it looks at and what it finds."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from crouter.contract.deployment import Deployment
from crouter.runtime.settings import Settings

State = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `found` and `do` are sentences of ours: they name settings and never quote one."""

    state: State
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Backups:
    """When the oldest and the newest backup of the database were made, as the operator says; None for not said."""

    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What is looked at. `settings` is None where they are refused; `url` is where customers reach the service."""

    deployment: Deployment
    environ: Mapping[str, str]
    generated: Path
    url: str
    settings: Settings | None
    problems: tuple[str, ...] = ()
    backups: Backups = Backups()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def text(self, name: str) -> str:
        """A setting by its name, directly or from its file; empty for one that is not there or cannot be read."""
        path = self.environ.get(f"{name}_FILE", "").strip()
        if not path:
            return self.environ.get(name, "").strip()
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""


Look = Callable[[Ground], AsyncIterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. `name` is stable, for scripts; `what` completes "whether …"."""

    name: str
    what: str
    look: Look
