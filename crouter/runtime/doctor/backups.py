"""Whether backups end when the policy says: what is deleted is gone for certain only when the last backup of it is."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from crouter.runtime.doctor.check import Check, Finding, Ground

RECORD: Final = Path("records", "processing-record.json")
_PERIOD: Final = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?)?")
_SAY: Final = "say when the oldest and the newest one were made: --oldest-backup TIME --newest-backup TIME"


async def _ages(ground: Ground) -> AsyncIterator[Finding]:
    age_max = _age_max(ground.generated)
    if age_max is None:
        yield Finding("skipped", "the policy states no greatest age of backups (disclosures.backups)")
        return
    oldest, newest = ground.backups.oldest, ground.backups.newest
    if oldest is None:
        yield Finding("skipped", f"backups may be {_days(age_max)} old, and nobody said how old they are", _SAY)
    elif ground.now - oldest > age_max:
        found = f"the oldest backup is {_days(ground.now - oldest)} old, and the policy says {_days(age_max)} at most"
        yield Finding("failed", found, "delete it: it holds what was to be gone from backups by now")
    else:
        yield Finding("ok", f"no backup is older than {_days(age_max)}")
    if newest is not None and ground.now - newest > timedelta(days=1, hours=6):
        yield Finding(
            "warning", f"the newest backup is {_days(ground.now - newest)} old", "see why none was made since"
        )


def _age_max(generated: Path) -> timedelta | None:
    try:
        told = json.loads((generated / RECORD).read_bytes())["disclosures"]["backups"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    match = _PERIOD.fullmatch(told if isinstance(told, str) else "")
    if match is None:
        return None
    weeks, days, hours = (int(number or 0) for number in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours)


def _days(age: timedelta) -> str:
    days = age / timedelta(days=1)
    return f"{days:.0f} days" if days >= 2 else f"{age / timedelta(hours=1):.0f} hours"


CHECKS: Final = (Check("backups", "whether backups end when the policy says", _ages),)
