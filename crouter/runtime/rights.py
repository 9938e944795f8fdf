"""Requests, copies and deletions of one deployment, put together: the same for pages, commands and jobs."""

from dataclasses import dataclass

from crouter.contract.deployment import Deployment
from crouter.runtime.copies.store import CopyStore
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.deletions import Deletions
from crouter.runtime.erasure.links import DeletionLinks
from crouter.runtime.erasure.pointers import pointers_of
from crouter.runtime.erasure.records import DeletionRecords
from crouter.runtime.erasure.tombstones import Tombstones
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.names import ACCOUNT, COPY_PIECE, DATA_COPY, DATA_REQUEST, ERASURE, ERASURE_STEP
from crouter.runtime.requests.mails import MailNotices
from crouter.runtime.requests.store import RequestStore
from crouter.runtime.sealing import Sealer
from crouter.runtime.settings import StoreSettings

_RECORDS = (DATA_REQUEST, DATA_COPY, COPY_PIECE, ERASURE, ERASURE_STEP)


@dataclass(frozen=True, slots=True)
class Rights:
    """What people and operators do about the rights of a person."""

    database: Database
    requests: RequestStore
    copies: CopyStore
    deletions: Deletions
    records: DeletionRecords
    links: DeletionLinks
    notices: MailNotices
    tombstones: Tombstones | None
    sealer: Sealer


def are_declared(deployment: Deployment) -> bool:
    """Whether the policy keeps what this needs: all of its records, and a rule by which accounts are deleted."""
    declared = {record.name for record in deployment.records}
    return declared.issuperset(_RECORDS) and any(rule.owner == ACCOUNT for rule in deployment.retention.erase)


def rights_of(deployment: Deployment, database: Database, store: StoreSettings) -> Rights | None:
    """None where the policy does not declare what this needs."""
    if not are_declared(deployment):
        return None
    sealer, links = Sealer(store.sealing), DeletionLinks(store.lookup)
    tombstones = Tombstones(store.tombstones.path, store.tombstones.keys) if store.tombstones else None
    notices = MailNotices(deployment, Outbox(deployment))
    requests = RequestStore(deployment, database, notices)
    copies = CopyStore(deployment, database, store.sealing)
    return Rights(
        database=database,
        requests=requests,
        copies=copies,
        deletions=Deletions(
            deployment=deployment,
            database=database,
            sealer=sealer,
            requests=requests,
            copies=copies,
            pointers=pointers_of(deployment, database),
            links=links,
            tombstones=tombstones,
            notices=notices,
        ),
        records=DeletionRecords(database),
        links=links,
        notices=notices,
        tombstones=tombstones,
        sealer=sealer,
    )
