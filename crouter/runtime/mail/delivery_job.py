"""The job that sends mails: every minute, and whenever one is put into the outbox."""

from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.egress.guard import verifying_tls
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.mail.delivery import RUN_SECONDS, Connect, Delivery
from crouter.runtime.mail.folder import folder_carrier
from crouter.runtime.mail.outbox import DELIVERY
from crouter.runtime.mail.rendering import Rendering
from crouter.runtime.mail.settings import MailSettings, read_mail
from crouter.runtime.mail.smtp import connected
from crouter.runtime.mail.waiting import WaitingMails


async def _deliver(context: JobContext) -> None:
    mail = context.deployment.mail
    assert mail is not None, "without mails this job is not run"
    settings = read_mail(context.deployment, context.environ)
    delivery = Delivery(
        mail=mail,
        name=context.deployment.identity.name,
        sender=settings.sender,
        waiting=WaitingMails(context.deployment, context.database),
        reader=context.reader,
        rendering=Rendering(context.deployment, context.generated),
        connect=_way_out(context.deployment, settings),
        log=context.log,
        now=context.now,
        per_minute=settings.per_minute,
        stopped=context.stopped,
    )
    await delivery.run()


def _way_out(deployment: Deployment, settings: MailSettings) -> Connect:
    server = settings.server
    if server is None:
        return lambda: folder_carrier(settings.folder)
    tls = verifying_tls(deployment.security.tls_minimum)
    return lambda: connected(server, tls, local_name=settings.sender.rpartition("@")[2])


DELIVER_MAIL: Final = Job(
    name=DELIVERY,
    policy_path="mail",
    every=minutes(1),
    run=_deliver,
    seconds_max=RUN_SECONDS + 120,
    is_needed=lambda deployment: deployment.mail is not None,
    settings=read_mail,
)
