"""What the operations read and change: the stores of one service, made once."""

from dataclasses import dataclass

from crouter.runtime.access_records import AccessRecords
from crouter.runtime.account_limits import LimitStore
from crouter.runtime.accounts import Accounts
from crouter.runtime.credit.reading import CreditReader
from crouter.runtime.keys import KeyStore
from crouter.runtime.names import LEDGER
from crouter.runtime.parts import Parts
from crouter.runtime.purposes import PurposeReader, require_purpose
from crouter.runtime.rights import Rights, rights_of
from crouter.runtime.statement import Statement
from crouter.runtime.usage_reading import PURPOSE, UsageReader


@dataclass(frozen=True, slots=True)
class Stores:
    """Each reads and changes rows of the account that it is given, and no others."""

    parts: Parts
    accounts: Accounts
    keys: KeyStore
    statement: Statement
    usage: UsageReader
    limits: LimitStore
    credit: CreditReader
    accesses: AccessRecords
    reader: PurposeReader
    rights: Rights | None

    @classmethod
    def of(cls, parts: Parts) -> "Stores":
        """The stores of a running service. Raises PurposeRefusedError where people may not be shown what is theirs."""
        deployment, database = parts.deployment, parts.database
        require_purpose(deployment.record(LEDGER), ("amount_nanousd", "occurred_at"), PURPOSE)
        return cls(
            parts=parts,
            accounts=Accounts(deployment, database),
            keys=KeyStore(deployment, database, parts.settings.store, parts.outbox),
            limits=LimitStore(deployment, database),
            statement=Statement(deployment, database),
            usage=UsageReader(deployment, database),
            credit=CreditReader(deployment, database),
            accesses=AccessRecords(deployment, database),
            reader=parts.reader,
            rights=rights_of(deployment, database, parts.settings.store),
        )
