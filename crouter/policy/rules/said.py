"""Whatever the service does stands in the document: each part that matters to people has a sentence about it.

`WANTED` is the table to read: a part, the kind of sentence that says it, and what else would do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crouter.policy.model import Policy, SentenceKind
from crouter.policy.parts.data import DataCategory
from crouter.policy.parts.promises import DeleteAfter
from crouter.policy.parts.surface import Cookie, StorageKey
from crouter.policy.problems import Path
from crouter.policy.rules.claims import placed_claims
from crouter.policy.rules.frame import Finding, Rule


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sentence that has to be there: about a part (a claim's `about`), of one of `says`.

    `or_any` are kinds of sentence that do as well, whatever they are about.
    """

    about: str
    says: SentenceKind
    path: Path
    or_any: tuple[SentenceKind, ...] = ()


def _data(policy: Policy) -> Iterator[Wanted]:
    """Data of a customer. What is sealed is told by how keys are kept, money by who takes the payments.

    A category of technical columns only holds nothing that a person would recognise: there is nothing to say.
    """
    for name, category in policy.data.items():
        if _is_told(category):
            types = {field.type for field in category.fields.values()}
            instead: tuple[SentenceKind, ...] = ("seals_keys",) if "sealed" in types else ()
            if "nanousd" in types:
                instead = (*instead, "pays")
            yield Wanted(f"data.{name}", "collects", ("data", name), instead)


def _is_told(category: DataCategory) -> bool:
    return category.subject == "customer" and bool(category.fields)


def _never(policy: Policy) -> Iterator[Wanted]:
    """Each promise. What is about payment data is told by who takes the payments."""
    for name, never in policy.never.items():
        about_payment = ".".join(never.data_category.split(".")[:2]) in ("user.payment", "user.financial")
        yield Wanted(f"never.{name}", "excludes", ("never", name), ("pays",) if about_payment else ())


def _processors(policy: Policy) -> Iterator[Wanted]:
    return (Wanted(f"processors.{name}", "processor", ("processors", name)) for name in policy.processors)


def _retention(policy: Policy) -> Iterator[Wanted]:
    """Each rule but those about data that names nobody, or that nobody would recognise."""
    for name, rule in policy.retention.items():
        if any(_is_told(policy.data[category]) for category in rule.of if category in policy.data):
            says: SentenceKind = "deletes" if isinstance(rule, DeleteAfter) else "retains"
            yield Wanted(f"retention.{name}", says, ("retention", name))


def _rights(policy: Policy) -> Iterator[Wanted]:
    return (Wanted(f"rights.{name}", "right", ("rights", name)) for name in policy.rights)


def _security(policy: Policy) -> Iterator[Wanted]:
    yield Wanted("security.keys", "seals_keys", ("security", "keys"))
    yield Wanted("security.https", "encrypts_transport", ("security", "https"))
    if policy.security.edge is not None:
        yield Wanted("security.edge", "runs_at_edge", ("security", "edge"))


def _browser(policy: Policy) -> Iterator[Wanted]:
    """Analytics, and what stays in a browser: the essential is told with the cookies, the rest with analytics."""
    if policy.analytics is not None:
        yield Wanted("analytics", "measures", ("analytics",))
    kept: list[tuple[Path, Cookie | StorageKey]] = [
        *((("cookies", name), cookie) for name, cookie in policy.cookies.items()),
        *((("storage", name), key) for name, key in policy.storage.items()),
    ]
    for path, entry in kept:
        if entry.category == "essential":
            yield Wanted("cookies", "sets_cookies", path)
        else:
            yield Wanted("analytics", "measures", path)


def _always(policy: Policy) -> Iterator[Wanted]:
    yield Wanted("controller.contact", "contact", ("controller", "contact"))
    yield Wanted("controller.office", "office", ("controller", "office"))
    yield Wanted("policy.version", "may_change", ("policy", "version"))
    yield Wanted("policy.changes", "announces_changes", ("policy", "changes"))
    yield Wanted("policy.changes.acceptance", "accepts_changes", ("policy", "changes", "acceptance"))
    yield Wanted("requests", "answers", ("requests",))


WANTED: tuple[tuple[tuple[str, ...], Callable[[Policy], Iterator[Wanted]]], ...] = (
    (("data",), _data),
    (("never",), _never),
    (("processors",), _processors),
    (("data", "retention"), _retention),
    (("rights",), _rights),
    (("security",), _security),
    (("analytics", "cookies", "storage"), _browser),
    (("controller", "policy", "requests"), _always),
)
"""The parts that a kind of wanted sentence depends on, and the sentences wanted."""


def _finder(wanted_of: Callable[[Policy], Iterator[Wanted]]) -> Callable[[Policy], Iterator[Finding]]:
    def check(policy: Policy) -> Iterator[Finding]:
        claims = [(placed.claim.says, placed.claim.about) for placed in placed_claims(policy)]
        said, kinds = set(claims), {says for says, _ in claims}
        ids = {placed.name for placed in placed_claims(policy)}
        missed: set[str] = set()
        for wanted in wanted_of(policy):
            if (wanted.says, wanted.about) in said or kinds & set(wanted.or_any) or wanted.about in missed:
                continue
            missed.add(wanted.about)
            claim = f"{_free_id(wanted, ids)}: {{says: {wanted.says}, about: {wanted.about}}}"
            sentence = f"no sentence of the document says {wanted.about}"
            yield Finding(wanted.path, sentence, f"add to the claims of a section: `{claim}`", at_key=True)

    return check


def _free_id(wanted: Wanted, taken: set[str]) -> str:
    """An id that no claim has, from the kind of sentence and the last name of the part."""
    part = wanted.about.rpartition(".")[2]
    name = wanted.says if part in wanted.says.split("_") else f"{wanted.says}-{part}"
    name = name.replace("_", "-")
    return name if name not in taken else f"{name}-again"


RULES = tuple(Rule("PR-52", (*needs, "sections"), _finder(wanted_of)) for needs, wanted_of in WANTED)
