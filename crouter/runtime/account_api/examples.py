"""Values that the examples of the document are made of. No example holds anybody's data."""

import uuid
from datetime import UTC, datetime
from typing import Final

ACCOUNT: Final = uuid.UUID("00000000-0000-4000-8000-000000000001")
KEY: Final = uuid.UUID("00000000-0000-4000-8000-000000000002")
ENTRY: Final = uuid.UUID("00000000-0000-4000-8000-000000000003")
REQUEST_ID: Final = "req_00000000000040008000000000000004"
MOMENT: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DUE: Final = datetime(2026, 12, 23, 12, 0, tzinfo=UTC)
CURSOR: Final = "1795435200000000.00000000000040008000000000000003"
MODEL: Final = "claude-haiku-4-5"
