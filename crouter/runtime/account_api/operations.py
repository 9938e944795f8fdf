"""All operations of the account API, in the order of the document."""

from typing import Final

from crouter.runtime.account_api import account, keys, money, payments, requests, usage
from crouter.runtime.account_api.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *account.OPERATIONS,
    *money.OPERATIONS,
    *payments.OPERATIONS,
    *usage.OPERATIONS,
    *keys.OPERATIONS,
    *requests.OPERATIONS,
)
