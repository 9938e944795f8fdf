"""The processing record as a page for people: Article 30(1) letter by letter, with what is missing on top.

The page holds what `record_article30.py` puts into the JSON; here is only how it is ordered and named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from crouter.generate.views.record_facts import (
    MISSING,
    MISSING_MARK,
    UseOfData,
    basis_article,
    erasure_of,
    kept_words,
)
from crouter.plan.document_style import document_style
from crouter.plan.plan import Plan
from crouter.plan.words import capitalised, date_words, duration_words, frequency_words, joined
from crouter.policy.model import Policy
from crouter.policy.parts.promises import DeleteAfter, KeepFor, Retention


@dataclass(frozen=True, slots=True)
class Said:
    """A term, what is said about it, and whether that is that it is missing."""

    term: str
    values: tuple[str, ...]
    is_missing: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A titled group of terms."""

    title: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the record and the letter of Article 30(1) that asks for it."""

    anchor: str
    title: str
    asks: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the law asks for and the policy does not say, and the chapter where it is missing."""

    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Everything that the page shows."""

    header: str
    locale: str
    service: str
    url: str
    contact: str
    dates: str
    chapters: tuple[Chapter, ...]
    gaps: tuple[Gap, ...]
    has_gaps: bool
    picture: Markup
    digest: str
    style: Markup
    mark: str


def record_view(plan: Plan, picture: str) -> RecordView:
    """The page of a plan; `picture` is the data-flow diagram as an SVG element."""
    policy = plan.policy
    chapters = (
        Chapter("record.controller", "Who is answerable", "Article 30(1)(a)", (_controller(policy),)),
        Chapter("record.purposes", "What data is used for", "Article 30(1)(b)", tuple(_purposes(policy))),
        Chapter("record.categories", "What is kept, and about whom", "Article 30(1)(c)", tuple(_categories(policy))),
        Chapter("record.recipients", "Who receives it", "Article 30(1)(d)", tuple(_recipients(policy))),
        Chapter("record.transfers", "Transfers to other countries", "Article 30(1)(e)", (_transfers(),)),
        Chapter("record.erasure", "When it is erased", "Article 30(1)(f)", tuple(_erasure(policy))),
        Chapter("record.measures", "How it is protected", "Article 30(1)(g)", tuple(_measures(policy))),
    )
    gaps = tuple(_gaps(chapters))
    return RecordView(
        header=plan.header,
        locale=policy.policy.locale,
        service=policy.service.name,
        url=policy.service.url,
        contact=policy.controller.contact,
        dates=f"Version {policy.policy.version}, in effect from {date_words(policy.policy.effective)}",
        chapters=chapters,
        gaps=gaps,
        has_gaps=bool(gaps),
        # Drawn by a template that escapes every text of the policy.
        picture=Markup(picture),  # noqa: S704
        digest=plan.short_digest,
        # Our own file, not text of the policy.
        style=Markup(document_style()),  # noqa: S704
        mark=MISSING_MARK,
    )


def _gaps(chapters: tuple[Chapter, ...]) -> Iterator[Gap]:
    for chapter in chapters:
        found: dict[str, list[str]] = {}
        for entry in chapter.entries:
            for said in entry.said:
                if said.is_missing:
                    found.setdefault(said.term, []).append(entry.title)
        for term, titles in found.items():
            yield Gap(f"{term} – {joined(titles)}", chapter.anchor)


def _said(term: str, *values: str) -> Said:
    """What is said; nothing at all is missing, and so is what says so itself."""
    kept = tuple(dict.fromkeys(value for value in values if value)) or (MISSING,)
    is_missing = any(value.startswith(MISSING_MARK) for value in kept)
    return Said(term, tuple(value.removeprefix(f"{MISSING_MARK}: ") for value in kept), is_missing)


def _controller(policy: Policy) -> Entry:
    controller = policy.controller
    office = "none: a fully remote, online service" if controller.office == "none" else controller.office
    return Entry(
        controller.name,
        (
            _said("Contact", controller.contact),
            _said("Office", office),
            _said("Joint controller"),
            _said("Representative"),
            _said("Data protection officer"),
        ),
    )


def _purposes(policy: Policy) -> Iterator[Entry]:
    use = UseOfData(policy)
    for name, purpose in policy.purposes.items():
        entries = use.fields_for(name)
        categories = list(dict.fromkeys(entry.category for entry in entries))
        parties = [key for key, party in policy.processors.items() if name in party.purposes]
        parties += [key for entry in entries for key in use.recipients_of(entry)]
        browser = [key for key, cookie in policy.cookies.items() if cookie.purpose == name]
        browser += [key for key, item in policy.storage.items() if item.purpose == name]
        data = [f"{entry.field.label} ({policy.data[entry.category].label})" for entry in entries]
        passing = [] if entries else _passing(policy, parties)
        sources = [policy.sources[entry.field.source or policy.data[entry.category].source].label for entry in entries]
        yield Entry(
            capitalised(purpose.label),
            (
                _said("Legal basis", basis_article(purpose.basis)),
                _said("Data", *data, *passing, *(f"{key} (in the browser)" for key in browser)),
                *((_said("From", *sources),) if sources else ()),
                _said("Recipients", *(policy.processors[key].label for key in parties), "" if parties else "none"),
                *(_said("Erasure", *erasure_of(policy, key)) for key in categories[:1] if len(categories) == 1),
                *(
                    _said(f"Erasure of {policy.data[key].label}", *erasure_of(policy, key))
                    for key in categories
                    if len(categories) > 1
                ),
            ),
        )


def _passing(policy: Policy, parties: list[str]) -> list[str]:
    words = {"content": "what API requests and answers say, in transit", "analytics": "analytics events"}
    received = dict.fromkeys(item for key in parties for item in policy.processors[key].receives)
    return [words.get(item) or policy.data[item.partition(".")[0]].label for item in received]


def _categories(policy: Policy) -> Iterator[Entry]:
    for category in policy.data.values():
        source = policy.sources[category.source].label
        yield Entry(
            capitalised(category.label),
            (
                _said("About", "customers" if category.subject == "customer" else "nobody"),
                _said("When", f"when {category.when}"),
                _said("From", source),
                _said(
                    "Fields", *(field.label for field in category.fields.values()), "" if category.fields else "none"
                ),
                _said("Other columns", *(f"{name}: {column.why}" for name, column in category.technical.items())),
            ),
        )


def _recipients(policy: Policy) -> Iterator[Entry]:
    for name, party in policy.processors.items():
        yield Entry(
            party.label,
            (
                _said("For", party.does),
                _said("Receives", *_passing(policy, [name])),
                _said("Keeps it", kept_words(party.keeps.for_)),
                _said("As it says", f"{party.keeps.source} on {date_words(party.keeps.as_of)}"),
                _said("Hosts", *party.hosts),
                _said("Country"),
                _said("Processing agreement"),
            ),
        )


def _transfers() -> Entry:
    return Entry("All recipients", (_said("Countries"), _said("Safeguards")))


def _erasure(policy: Policy) -> Iterator[Entry]:
    for rule in policy.retention.values():
        yield Entry(capitalised(joined([policy.data[name].label for name in rule.of])), tuple(_rule(policy, rule)))


def _rule(policy: Policy, rule: Retention) -> Iterator[Said]:
    if isinstance(rule, KeepFor):
        yield _said("Kept for", f"{duration_words(rule.keep)} from {rule.from_}")
    elif isinstance(rule, DeleteAfter):
        yield _said("Deleted", f"within {duration_words(rule.within)} after {rule.event}")
        yield _said("Can be taken back for", duration_words(rule.grace))
    else:
        yield _said("Kept", "as long as the account is active")
        return
    yield _said("Carried out", f"{frequency_words(rule.every)}, at most {duration_words(rule.lag_max)} late")
    if isinstance(rule, DeleteAfter) and rule.exceptions:
        yield _said(
            "Except",
            *(
                f"{policy.data[item.of].label}{f' ({joined(list(item.kinds))})' if item.kinds else ''}: "
                f"{duration_words(item.keep)}, {item.law}"
                for item in rule.exceptions
            ),
        )


def _measures(policy: Policy) -> Iterator[Entry]:
    security = policy.security
    yield Entry(
        "API keys",
        (_said("Stored", f"encrypted with {security.keys.encryption}"), _said("Found by", security.keys.lookup)),
    )
    http = {"refuse": "refused", "redirect": "redirected"}[security.https.plain_http]
    yield Entry(
        "Connections",
        (
            _said("Encryption", f"TLS {security.https.minimum_tls} or newer"),
            _said("Browsers use HTTPS only for", duration_words(security.https.hsts)),
            _said("Without encryption", http),
        ),
    )
    if security.edge:
        edge = security.edge
        yield Entry("The edge", (_said("Runs on", f"{edge.runtime}, by {policy.processors[edge.processor].label}"),))
    if policy.never:
        yield Entry(
            "Never",
            tuple(
                _said(never.label, joined([verb.replace("_", " ") for verb in never.not_], "or"))
                for never in policy.never.values()
            ),
        )
    logs = (_said(f"Log: {name}", *stream) for name, stream in policy.logging.items())
    yield Entry("Logging", tuple(logs) or (_said("Logs", "none"),))
