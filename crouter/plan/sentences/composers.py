"""Which function composes which kind of sentence."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from crouter.plan.phrases import Sentence
from crouter.plan.sentences import (
    browser,
    changes,
    collection,
    exclusion,
    parties,
    retention,
    rights,
    security,
    use,
)
from crouter.plan.sentences.topic import Topic
from crouter.policy.model import SentenceKind

Composer: TypeAlias = Callable[[Topic], list[Sentence]]

COMPOSERS: Mapping[SentenceKind, Composer] = {
    "collects": collection.collects,
    "pays": collection.pays,
    "excludes": exclusion.excludes,
    "passes_through": exclusion.passes_through,
    "office": exclusion.office,
    "uses": use.uses,
    "processor": parties.processor,
    "seals_keys": security.seals_keys,
    "encrypts_transport": security.encrypts_transport,
    "runs_at_edge": security.runs_at_edge,
    "retains": retention.retains,
    "deletes": retention.deletes,
    "right": rights.right,
    "answers": rights.answers,
    "sets_cookies": browser.sets_cookies,
    "measures": browser.measures,
    "no_advertising": exclusion.no_advertising,
    "may_change": changes.may_change,
    "announces_changes": changes.announces_changes,
    "accepts_changes": changes.accepts_changes,
    "contact": changes.contact,
}
"""Each kind of sentence has exactly one composer."""
