"""The records that the runtime itself works on, by their declared names."""

from typing import Final

ACCOUNT: Final = "account"
USAGE: Final = "usage"
API_KEY: Final = "api_key"
LEDGER: Final = "ledger"
CREDIT_LEASE: Final = "credit_lease"
BATCH: Final = "batch"
OUTBOX: Final = "outbox"
JOB_RUN: Final = "job_run"
PUBLISHED_VERSION: Final = "published_version"
