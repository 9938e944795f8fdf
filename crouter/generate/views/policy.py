"""The privacy policy in its four formats, each sentence with the id of its claim.

What the sentences say is decided in `crouter/plan/document.py`; here is only how they look.
"""

from dataclasses import dataclass

from markupsafe import Markup

from crouter.generate.templates import Templates
from crouter.generate.views.json_file import json_file
from crouter.generate.views.policy_data import policy_data
from crouter.generate.views.policy_prose import TEXT_WIDTH, markdown_prose, markdown_words, text_claim
from crouter.plan.document import Document, DocumentClaim
from crouter.plan.document_style import document_style
from crouter.plan.furniture import FURNITURE, Furniture
from crouter.plan.phrases import Value
from crouter.plan.plan import Plan
from crouter.plan.web import STYLE_FILE
from crouter.policy.schema import policy_schema

_FOLDER = "policy"


@dataclass(frozen=True, slots=True)
class Run:
    """Words that are drawn alike; `link` is empty where there is none."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim for a template: its id, and its sentences in the form that the format wants."""

    id: str
    runs: tuple[Run, ...]
    markdown: str
    text: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section for a template. Its anchor holds a full stop, which no id of a claim can."""

    number: int
    anchor: str
    title: str
    markdown_title: str
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, slots=True)
class FormatView:
    """One of the formats and where it is."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """Everything that the three templates draw."""

    header: str
    document: Document
    said: Furniture
    in_effect: str
    markdown_title: str
    markdown_service: str
    markdown_description: str
    markdown_dates: str
    sections: tuple[SectionView, ...]
    formats: tuple[FormatView, ...]
    digest: str
    short_digest: str
    style: Markup
    rule: str


def render(plan: Plan, templates: Templates) -> dict[str, str]:
    """The privacy policy in each language, its style sheet, the schema for editors: path under generated/ to text."""
    files = {
        STYLE_FILE: f"/* {plan.header} */\n{document_style().lstrip()}",
        f"{_FOLDER}/policy.schema.json": json_file(policy_schema()),
    }
    for document in (plan.document, *plan.translations):
        name = f"{_FOLDER}/privacy-policy{_suffix(plan, document)}"
        view = _view(plan, document)
        files |= {
            f"{name}.{ending}": templates.render(f"{_FOLDER}/privacy-policy.{ending}.jinja", view)
            for ending in ("md", "html", "txt")
        }
        files[f"{name}.json"] = policy_data(plan, document)
    return files


def _suffix(plan: Plan, document: Document) -> str:
    """What a further language adds to the names of its files."""
    return "" if document is plan.document else f".{document.locale}"


def _view(plan: Plan, document: Document) -> PolicyView:
    said = FURNITURE[document.locale]
    dates = f"{said.in_effect} {document.effective_words}. {said.version} {document.version}."
    margin = max(len(claim.id) for claim in document.claims)
    base = f"privacy-policy{_suffix(plan, document)}"
    formats = ((said.web_page, "html"), ("Markdown", "md"), (said.plain_text, "txt"), ("JSON", "json"))
    return PolicyView(
        header=plan.header,
        document=document,
        said=said,
        in_effect=said.in_effect[:1].lower() + said.in_effect[1:],
        markdown_title=markdown_words(document.title),
        markdown_service=markdown_words(document.service),
        markdown_description=markdown_words(document.description),
        markdown_dates=markdown_words(dates),
        sections=tuple(
            SectionView(
                number=section.number,
                anchor=f"section.{section.number}",
                title=section.title,
                markdown_title=markdown_words(section.title),
                claims=tuple(_claim(claim, margin) for claim in section.claims),
            )
            for section in document.sections
        ),
        formats=tuple(FormatView(label, _served(plan, f"{base}.{ending}")) for label, ending in formats),
        digest=plan.digest,
        short_digest=plan.short_digest,
        # Our own file, not text of the policy.
        style=Markup(document_style()),  # noqa: S704
        rule="=" * TEXT_WIDTH,
    )


def _claim(claim: DocumentClaim, margin: int) -> ClaimView:
    return ClaimView(
        id=claim.id,
        runs=_runs(claim),
        markdown=markdown_prose(claim.sentences),
        text=text_claim(claim.id, claim.sentences, margin),
    )


def _runs(claim: DocumentClaim) -> tuple[Run, ...]:
    runs: list[Run] = []
    for number, sentence in enumerate(claim.sentences):
        words = [Run(" ", "")] if number else []
        for segment in sentence.segments:
            words.append(Run(segment.text, (segment.link or "") if isinstance(segment, Value) else ""))
        for run in words:
            if runs and not run.link and not runs[-1].link:
                runs[-1] = Run(runs[-1].text + run.text, "")
            else:
                runs.append(run)
    return tuple(runs)


def _served(plan: Plan, file: str) -> str:
    # Where the service gives no address to a format, the file beside this one is linked.
    served = {document.file: document.path for document in plan.web.documents}
    return served.get(f"{_FOLDER}/{file}", file)
