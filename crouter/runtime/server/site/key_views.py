"""What the page of keys shows, as values; and the amounts that people type there. Does no I/O."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from crouter.runtime.keys import LABEL_CHARS_MAX, ListedKey, NewKey

REVOKED_SHOWN_MAX: Final = 10
NANOUSD_PER_USD: Final = 1_000_000_000
_DOLLARS: Final = re.compile(r"\$?([0-9]{1,6})(?:\.([0-9]{1,2}))?", re.ASCII)


class AmountError(ValueError):
    """The text is no amount of money for a limit."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. `tone` is the colour of its state; the words tell it without."""

    id: str
    shown: str
    label: str
    created_at: datetime
    last_used_on: date | None
    state: str
    tone: str
    ends_at: datetime | None
    is_working: bool
    can_rotate: bool
    limit: str
    spent_nanousd: int


@dataclass(frozen=True, slots=True)
class KeysView:
    """The page. `new_key` is the one that was just made: it is on this one answer and nowhere else."""

    working: tuple[KeyRow, ...]
    ended: tuple[KeyRow, ...]
    can_make: bool
    active_max: int
    grace: str
    month: str
    account_limit: str
    spent_nanousd: int
    label_chars_max: int = LABEL_CHARS_MAX
    new_key: str = ""
    ending: datetime | None = None
    fault: str = ""
    done: str = ""


def keys_view(
    keys: Sequence[ListedKey],
    spent: Mapping[uuid.UUID, int],
    *,
    now: datetime,
    active_max: int,
    grace: timedelta,
    account_limit_nanousd: int | None,
    new: NewKey | None = None,
    fault: str = "",
    done: str = "",
) -> KeysView:
    """The page of an account's keys, the newest first."""
    rows = [_row(key, spent.get(key.id, 0), now) for key in reversed(keys)]
    active = sum(key.revoked_at is None for key in keys)
    return KeysView(
        working=tuple(row for row in rows if row.is_working),
        ended=tuple(row for row in rows if not row.is_working)[:REVOKED_SHOWN_MAX],
        can_make=active < active_max,
        active_max=active_max,
        grace=_hours(grace),
        month=f"{now:%Y-%m}",
        account_limit=dollars_typed(account_limit_nanousd),
        spent_nanousd=sum(spent.values()),
        new_key=new.key.reveal() if new is not None else "",
        ending=new.ending if new is not None else None,
        fault=fault,
        done=done,
    )


def limit_typed(text: str) -> int | None:
    """Nanodollars of a limit as people type it, with at most two decimals; None for nothing. Raises AmountError."""
    text = text.strip()
    if not text:
        return None
    match = _DOLLARS.fullmatch(text)
    if match is None:
        raise AmountError("a limit is an amount in US dollars, such as 25 or 12.50, or nothing")
    return int(match[1]) * NANOUSD_PER_USD + int((match[2] or "").ljust(2, "0")) * (NANOUSD_PER_USD // 100)


def dollars_typed(nanousd: int | None) -> str:
    """A limit as it stands in its field."""
    if nanousd is None:
        return ""
    cents = nanousd // (NANOUSD_PER_USD // 100)
    return f"{cents // 100}.{cents % 100:02}"


def _row(key: ListedKey, spent_nanousd: int, now: datetime) -> KeyRow:
    working = key.is_active(now)
    rotated = working and key.revoked_at is not None
    state, tone = ("replaced", "warn") if rotated else ("active", "good") if working else ("revoked", "bad")
    return KeyRow(
        id=str(key.id),
        shown=key.shown,
        label=key.label or "",
        created_at=key.created_at,
        last_used_on=key.last_used_on,
        state=state,
        tone=tone,
        ends_at=key.revoked_at,
        is_working=working,
        can_rotate=key.revoked_at is None,
        limit=dollars_typed(key.month_limit_nanousd),
        spent_nanousd=spent_nanousd,
    )


def _hours(grace: timedelta) -> str:
    hours, rest = divmod(int(grace.total_seconds()), 3600)
    if not hours and not rest:
        return ""
    if rest:
        return f"{max(1, int(grace.total_seconds()) // 60)} minutes"
    return f"{hours} hour{'s' if hours != 1 else ''}"
