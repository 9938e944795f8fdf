"""The development account: made once, with credit and one API key that stays the same from run to run."""

import uuid
from dataclasses import dataclass
from typing import Final

from crouter.runtime.accounts import Accounts
from crouter.runtime.administration import Administration
from crouter.runtime.keys import KeyStore
from crouter.runtime.sealing import SealError

# A name that no mail can be sent to (RFC 2606).
EMAIL: Final = "developer@crouter.invalid"
NAME: Final = "Developer"
CREDIT_NANOUSD: Final = 25_000_000_000
LOW_NANOUSD: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Customer:
    """The account, and its key in clear text."""

    account: uuid.UUID
    api_key: str
    balance_nanousd: int


async def ensure_customer(stores: Administration) -> Customer:
    """The development account with credit and a key, whatever an earlier run left undone.

    Credit that has run low is filled up again. Raises DatabaseError.
    """
    account = await stores.accounts.find(EMAIL) or await stores.accounts.create(EMAIL, NAME)
    balance = await _with_credit(stores.accounts, account)
    return Customer(account, await _api_key(stores.keys, account), balance)


async def _with_credit(accounts: Accounts, account: uuid.UUID) -> int:
    balance = await accounts.balance(account)
    if balance >= LOW_NANOUSD:
        return balance
    await accounts.credit(account, CREDIT_NANOUSD - balance, "grant")
    return CREDIT_NANOUSD


async def _api_key(keys: KeyStore, account: uuid.UUID) -> str:
    """The active key. A new one if there is none, or if the secrets that sealed it are gone."""
    for listed in await keys.list(account):
        if listed.revoked_at is None:
            try:
                return (await keys.open(listed.id)).reveal()
            except SealError:
                break
    return (await keys.rotate(account)).key.reveal()
