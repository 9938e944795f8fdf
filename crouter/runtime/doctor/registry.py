"""All checks, one line for each feature that contributes some, and how they are carried out."""

from collections.abc import AsyncIterator
from typing import Final

from crouter.runtime.doctor import (
    backups,
    certificate,
    compiled,
    database,
    disk,
    front,
    identity,
    mail,
    payments,
    redis,
    secrets,
    setup,
)
from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.words import kind_of

CHECKS: Final[tuple[Check, ...]] = (
    *setup.CHECKS,
    *compiled.CHECKS,
    *secrets.CHECKS,
    *disk.CHECKS,
    *database.CHECKS,
    *backups.CHECKS,
    *certificate.CHECKS,
    *front.CHECKS,
    *identity.CHECKS,
    *payments.CHECKS,
    *mail.CHECKS,
    *redis.CHECKS,
)


async def examine(ground: Ground, checks: tuple[Check, ...] = CHECKS) -> AsyncIterator[tuple[Check, Finding]]:
    """Everything that is found, check by check. One that breaks is a finding as well."""
    for check in checks:
        try:
            async for finding in check.look(ground):
                yield check, finding
        except Exception as error:  # noqa: BLE001  the other checks go on; its text may quote a setting
            found = f"the check itself failed ({kind_of(error)})"
            yield check, Finding("failed", found, "please report this with the version of Crouter")
