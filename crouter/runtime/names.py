"""The records that the runtime itself works on, by their declared names."""

from typing import Final

ACCOUNT: Final = "account"
USAGE: Final = "usage"
API_KEY: Final = "api_key"
LEDGER: Final = "ledger"
CREDIT_LEASE: Final = "credit_lease"
BATCH: Final = "batch"
ACCESS_RECORD: Final = "access_record"
RECONCILIATION: Final = "reconciliation"
ACCOUNT_LIMITS: Final = "account_limits"
KEY_SPENDING: Final = "key_spending"
SPENDING_LEASE: Final = "spending_lease"
OUTBOX: Final = "outbox"
JOB_RUN: Final = "job_run"
SESSION: Final = "session"
