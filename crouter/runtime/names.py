"""The records that the runtime itself works on, by their declared names."""

from typing import Final

ACCOUNT: Final = "account"
USAGE: Final = "usage"
API_KEY: Final = "api_key"
LEDGER: Final = "ledger"
CREDIT_LEASE: Final = "credit_lease"
BATCH: Final = "batch"
DATA_REQUEST: Final = "data_request"
DATA_COPY: Final = "data_copy"
COPY_PIECE: Final = "copy_piece"
ERASURE: Final = "erasure"
ERASURE_STEP: Final = "erasure_step"
SESSION: Final = "session"
ACCOUNT_LIMITS: Final = "account_limits"
KEY_SPENDING: Final = "key_spending"
SPENDING_LEASE: Final = "spending_lease"
