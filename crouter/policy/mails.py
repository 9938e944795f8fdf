"""The mails that the library has sentences for, and the values that stand in them. Holds names only.

A policy that has mails declares them all: a feature that could not send what it has to tell would stop. A test holds
this list to the templates of `crouter/runtime/mail/templates`.
"""

from collections.abc import Mapping
from typing import Final

from crouter.policy.parts.surface import MailValueType

MAILS: Final[Mapping[str, Mapping[str, MailValueType]]] = {
    "receipt": {"amount": "money", "balance": "money", "day": "date"},
    "top_up_failed": {"amount": "money", "balance": "money"},
    "refund": {"amount": "money", "fee": "money", "balance": "money", "day": "date"},
    "dispute": {"amount": "money", "balance": "money"},
    "low_balance": {"balance": "money", "threshold": "money"},
    "key_created": {"last_four": "word", "at": "moment"},
    "key_rotated": {"last_four": "word", "old_last_four": "word", "old_ends": "moment"},
    "key_revoked": {"last_four": "word", "at": "moment"},
    "policy_change": {"version": "version"},
    "request_acknowledged": {"right": "right", "due": "date"},
    "request_extended": {"right": "right", "due": "date"},
    "request_answered": {"right": "right"},
    "request_refused": {"right": "right"},
    "copy_ready": {"until": "moment"},
    "deletion_begun": {"until": "date", "gone_by": "date", "page": "page"},
    "deletion_taken_back": {},
}
