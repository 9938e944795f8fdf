"""Partitions can be made: their width comes round evenly, and the table can be told apart by time."""

from collections.abc import Iterator

from crouter.policy.model import Policy
from crouter.policy.parts.promises import KeepFor
from crouter.policy.problems import Path
from crouter.policy.rules.columns import column_types
from crouter.policy.rules.frame import Finding, Rule
from crouter.policy.types import Duration

PARTITIONS_MAX = 1000
"""Each is a table with its indexes. A query without a time locks them all, and PostgreSQL has room for so many."""
NAME_LENGTH_MAX = 48
"""A partition is named after its table and its beginning: `usage__p2026112306`, of at most 63 bytes."""
EVIDENCE = "retention_run"
_HOUR, _DAY = 3_600, 86_400


def _partitioned(policy: Policy) -> Iterator[tuple[str, KeepFor, Duration]]:
    for name, rule in policy.retention.items():
        if isinstance(rule, KeepFor) and rule.partitions is not None:
            yield name, rule, rule.partitions


def _widths(policy: Policy) -> Iterator[Finding]:
    for name, rule, width in _partitioned(policy):
        path: Path = ("retention", name, "partitions")
        if not _is_even(width):
            sentence = f"partitions of {width.text} do not begin with a day, a month or a year"
            hint = "write hours that divide a day (PT1H to PT12H), whole days (P1D), or months that divide a year (P1M)"
            yield Finding(path, sentence, hint)
        elif width.seconds_max > rule.keep.seconds_min:
            sentence = f"a partition of {width.text} is wider than the period of {rule.keep.text}"
            yield Finding(path, sentence, "make partitions narrower: each is dropped when all of it is past")
        elif rule.keep.seconds_max > PARTITIONS_MAX * width.seconds_min:
            count = rule.keep.seconds_max // width.seconds_min
            sentence = f"{rule.keep.text} in partitions of {width.text} are {count} tables"
            yield Finding(path, sentence, f"make partitions wider: {PARTITIONS_MAX} is the most that there may be")


def _is_even(width: Duration) -> bool:
    hours, rest = divmod(width.seconds, _HOUR)
    match (width.months > 0, width.days > 0, width.seconds > 0):
        case (True, False, False):
            return 12 % width.months == 0
        case (False, True, False):
            return True
        case (False, False, True):
            return rest == 0 and width.seconds <= _DAY and 24 % hours == 0
    return False


def _categories(policy: Policy) -> Iterator[Finding]:
    for name, rule, _ in _partitioned(policy):
        path: Path = ("retention", name, "partitions")
        for category in rule.of:
            if category in policy.data and rule.from_ in column_types(policy.data[category]):
                yield from (
                    Finding(path, f"data.{category} cannot be partitioned: {reason}", hint)
                    for reason, hint in _reasons(policy, category, rule.from_)
                )


def _reasons(policy: Policy, name: str, time: str) -> Iterator[tuple[str, str]]:
    """Why a category cannot be partitioned by the column `time`, each with what to do."""
    category = policy.data[name]
    field, column = category.fields.get(time), category.technical.get(time)
    if (field is not None and not field.required) or (column is not None and column.optional):
        change = "add `required: true` to it" if field is not None else "take `optional` out of it"
        yield f"a row may be without `{time}`", f"{change}, or take `partitions` out"
    for other, found in policy.data.items():
        for reference, setting in found.technical.items():
            if setting.to == name:
                yield f"data.{other}.{reference} refers to it", "keep it in a rule without `partitions`"
    for unique, setting in category.technical.items():
        if setting.unique and not setting.key:
            yield f"`{unique}` is unique in the whole table", "keep it in a rule without `partitions`"
    if category.fold is not None:
        yield "its entries are summed up, not dropped", "keep it in a rule without `partitions`"
    if name == EVIDENCE:
        yield "it holds the evidence of the run that would drop it", "keep it in a rule without `partitions`"
    if len(name) > NAME_LENGTH_MAX:
        yield "its name leaves no room for those of partitions", f"shorten it to {NAME_LENGTH_MAX} characters"


RULES = (
    Rule("PR-28", ("retention",), _widths),
    Rule("PR-29", ("data", "retention"), _categories),
)
