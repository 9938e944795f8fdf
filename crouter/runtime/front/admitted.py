"""A request that may go on, and what it comes to when its last attempt has ended.

Its answer is carried by `crouter.runtime.front.relay`, and its record is written by `crouter.runtime.settling`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crouter.runtime.credit.lease import Hold
from crouter.runtime.key_lookup import Caller
from crouter.runtime.limits import Pass
from crouter.runtime.parts import Parts
from crouter.runtime.pricing.settlement import settle
from crouter.runtime.proxy.attempt import Attempt, Ending
from crouter.runtime.proxy.dialects import MESSAGES, Dialect
from crouter.runtime.proxy.request import Accepted
from crouter.runtime.proxy.request_id import record_id
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.usage import Settlement


@dataclass(init=False, slots=True)
class Admitted:
    """A request that may go on, and who asked. `cut` takes out of a stream what only we asked for.

    The pass is closed by whoever got it.
    """

    request_id: str
    received_at: datetime
    caller: Caller
    accepted: Accepted
    hold: Hold
    passed: Pass
    dialect: Dialect
    cut: UsageChunkFilter | None

    # Written out: one is made for every request, and that of a dataclass takes several times as long.
    def __init__(
        self,
        request_id: str,
        received_at: datetime,
        caller: Caller,
        accepted: Accepted,
        hold: Hold,
        passed: Pass,
        dialect: Dialect = MESSAGES,
        cut: UsageChunkFilter | None = None,
    ) -> None:
        self.request_id = request_id
        self.received_at = received_at
        self.caller = caller
        self.accepted = accepted
        self.hold = hold
        self.passed = passed
        self.dialect = dialect
        self.cut = cut


def settlement_of(admitted: Admitted, attempt: Attempt, ending: Ending, parts: Parts) -> Settlement | None:
    """What is to be recorded of a request; None if nothing was used, and then what was held for it is free again."""
    draft = attempt.end(ending)
    if draft is None:
        parts.credit.release(admitted.hold)
        _tell(attempt.anomalies, admitted, parts)
        return None
    charge = settle(draft, parts.prices, admitted.received_at)
    counts = draft.counts
    # As limits count tokens: what was read from a cache is free, what was written is not.
    written = (counts.cache_creation_5m_input_tokens or 0) + (counts.cache_creation_1h_input_tokens or 0)
    admitted.passed.used((counts.input_tokens or 0) + written, counts.output_tokens or 0)
    if attempt.anomalies or charge.anomalies or draft.unknown_keys:
        unknown = (f"unknown:{key}" for key in draft.unknown_keys)
        _tell((*attempt.anomalies, *charge.anomalies, *unknown), admitted, parts)
    return Settlement(
        id=record_id(admitted.request_id),
        account=admitted.caller.account,
        api_key=admitted.caller.key,
        occurred_at=admitted.received_at,
        draft=draft,
        charge=charge,
    )


def _tell(anomalies: Iterable[str], admitted: Admitted, parts: Parts) -> None:
    for anomaly in anomalies:
        parts.metrics.count("crouter_anomalies_total", kind=anomaly)
        parts.log.warning("usage_anomaly", request_id=admitted.request_id, error=anomaly)
