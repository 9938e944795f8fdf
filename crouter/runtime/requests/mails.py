"""What people are told of their requests by mail, where policy.yaml declares the mail."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from psycopg import AsyncConnection

from crouter.contract.deployment import Deployment
from crouter.contract.mail import MailTemplate
from crouter.runtime.mail.outbox import Outbox

RIGHTS: Final[Mapping[str, str]] = {"copy": "access", "correction": "rectification", "deletion": "erasure"}
"""The rights of policy.yaml that kinds of requests use, by their usual names."""


class MailNotices:
    """Puts mails into the outbox. One that is not declared, or not for that right, is not sent."""

    def __init__(self, deployment: Deployment, outbox: Outbox) -> None:
        templates = deployment.mail.templates if deployment.mail is not None else ()
        self._templates = {template.name: template for template in templates}
        self._outbox = outbox

    async def tell(
        self, connection: AsyncConnection[Any], account: uuid.UUID, template: str, values: Mapping[str, object]
    ) -> bool:
        """Of `values`, the mail holds those that are declared for it. Raises the driver's errors."""
        declared = self._templates.get(template)
        fitting = _fitting(declared, values) if declared is not None else None
        if fitting is None:
            return False
        await self._outbox.enqueue(connection, account, template, fitting)
        return True


def _fitting(template: MailTemplate, values: Mapping[str, object]) -> dict[str, object] | None:
    given: dict[str, object] = {**values, "right": RIGHTS.get(str(values.get("kind")), str(values.get("kind")))}
    found: dict[str, object] = {}
    for value in template.values:
        told = given.get(value.name)
        if told is None or (value.kind == "right" and told not in dict(value.choices)):
            return None
        # A mail tells days: the last one on which something is still so.
        found[value.name] = told.astimezone(UTC).date() if value.kind == "date" and isinstance(told, datetime) else told
    return found
