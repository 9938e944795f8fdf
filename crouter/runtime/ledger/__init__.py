"""The books: what customers have, entry by entry, and the other side of each entry."""

from crouter.runtime.ledger.ledger import Ledger, PostingConflictError, Statement, entry_id
from crouter.runtime.ledger.trial import TrialBalance

__all__ = ["Ledger", "PostingConflictError", "Statement", "TrialBalance", "entry_id"]
