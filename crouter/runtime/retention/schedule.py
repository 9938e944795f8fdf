"""Turns the declared rhythm of a rule into a cron expression in UTC, never a slower one."""

from typing import Final

from crouter.contract.retention import Period
from crouter.runtime.retention.options import RetentionRefusedError

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_DAYS_OF_A_MONTH_MIN: Final = 28
# Cron counts within the hour and within the day, so only their parts come round evenly. At three, few people are awake.
_RHYTHMS: Final = (
    (7 * _DAY, "0 3 * * 1"),
    (_DAY, "0 3 * * *"),
    *((hours * _HOUR, f"0 */{hours} * * *") for hours in (12, 8, 6, 4, 3, 2)),
    (_HOUR, "0 * * * *"),
    *((minutes * _MINUTE, f"*/{minutes} * * * *") for minutes in (30, 20, 15, 12, 10, 6, 5, 4, 3, 2)),
    (_MINUTE, "* * * * *"),
)


def cron(every: Period) -> str:
    """The slowest even rhythm that is at least as often as `every`: a rule due every two days runs daily.

    Raises RetentionRefusedError for less than a minute.
    """
    seconds = (every.months * _DAYS_OF_A_MONTH_MIN + every.days) * _DAY + every.seconds
    for rhythm, expression in _RHYTHMS:
        if rhythm <= seconds:
            return expression
    raise RetentionRefusedError(
        f"a rule that runs every {every.text} is more often than a schedule can be: `every` is PT1M or more"
    )
