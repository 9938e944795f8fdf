"""What a new version changes, in plain words for customers. Leaves out code, database and what only we have to do."""

from crouter.plan.difference.change import Change, Difference
from crouter.plan.words import capitalised, joined

_READ_BY_CUSTOMERS = ("customers", "cookies")


def what_changed(difference: Difference, earlier: str) -> str:
    """One paragraph about the difference from the version `earlier`."""
    concerns = [change for change in difference.changes if change.group in _READ_BY_CUSTOMERS and not _is_dates(change)]
    told = [change for change in concerns if change.in_words]
    explained = {said.claim for change in told for said in change.said}
    reworded = dict.fromkeys(said.claim for change in concerns for said in change.said if said.claim not in explained)
    if not told and not reworded:
        return f"Nothing changed for you since version {earlier}."
    significant = [change for change in told if change.significant]
    rest = [change for change in told if not change.significant]
    said = [f"{'Significant changes' if significant else 'Changes'} since version {earlier}:"]
    said += map(_sentence, significant)
    said += ["Other changes:"] * bool(significant and rest)
    said += map(_sentence, rest)
    if reworded:
        said.append(f"These claims are worded differently: {joined(list(reworded))}.")
    if difference.asks_again:
        said.append("You will be asked for your consent again.")
    return " ".join(said)


def _is_dates(change: Change) -> bool:
    """Whether it is nothing but the version itself, which the paragraph's heading says."""
    return change.path in (("policy", "version"), ("policy", "effective"))


def _sentence(change: Change) -> str:
    return f"{capitalised(change.summary)}."
