"""`crouter render`: the privacy policy that policy.yaml says, on the terminal."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from crouter.cli.groups import MAKING
from crouter.cli.options import PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal, visible
from crouter.generate.templates import Templates
from crouter.generate.views import policy as policy_view
from crouter.plan.document import Document
from crouter.plan.plan import Plan, make_plan

_COLUMNS_MAX = 100


class Format(StrEnum):
    """The formats of the privacy policy."""

    TEXT = "text"
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


_ENDINGS = {Format.TEXT: "txt", Format.MARKDOWN: "md", Format.HTML: "html", Format.JSON: "json"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("render", rich_help_panel=MAKING)(render)


def render(
    policy: PolicyOption = None,
    format: Annotated[  # noqa: A002  it is the option's name
        Format, typer.Option("--format", help="Text is wrapped to the terminal; elsewhere it is the published file.")
    ] = Format.TEXT,
    section: Annotated[int | None, typer.Option("--section", min=1, help="Only this section, by its number.")] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", help="One of policy.locales; policy.locale unless given.")
    ] = (None),
) -> None:
    """Print the privacy policy as policy.yaml says it now, each sentence with its claim. Writes nothing."""
    terminal, project = Terminal(), Project.at(policy)
    plan = make_plan(require_policy(read_policy(project), terminal))
    document = _in(plan, locale)
    if section is not None:
        plan, document = _only(plan, document, section)
    if format is Format.TEXT and terminal.is_interactive:
        _draw(terminal, document)
        return
    language = "" if document is plan.document else f".{document.locale}"
    files = policy_view.render(plan, Templates())
    terminal.raw(files[f"policy/privacy-policy{language}.{_ENDINGS[format]}"])


def _in(plan: Plan, locale: str | None) -> Document:
    """The document in one language; in the policy's own unless one is given."""
    documents = {document.locale: document for document in (plan.document, *plan.translations)}
    if locale is None:
        return plan.document
    for name, document in documents.items():
        if name == locale:
            return document
    raise FailureError(f"the policy is published in {', '.join(documents)}, and not in {visible(locale)}")


def _only(plan: Plan, document: Document, number: int) -> tuple[Plan, Document]:
    """The plan whose document has one section only, and that document."""
    sections = tuple(section for section in document.sections if section.number == number)
    if not sections:
        raise FailureError(f"the policy has sections 1 to {len(document.sections)}, and no section {number}")
    short = replace(document, sections=sections)
    if document is plan.document:
        return replace(plan, document=short), short
    return replace(plan, translations=tuple(short if one is document else one for one in plan.translations)), short


def _draw(terminal: Terminal, document: Document) -> None:
    out = terminal.out
    width = min(out.width, _COLUMNS_MAX)
    out.print(Text(visible(f"{document.service}: {document.title}"), style="bold"), width=width)
    out.print(Text(visible(f"In effect from {document.effective_words}. Version {document.version}."), style="dim"))
    for section in document.sections:
        out.print()
        out.print(Text(visible(f"{section.number}. {section.title}"), style="bold cyan"), width=width)
        for claim in section.claims:
            words = Text.assemble(visible(claim.text), ("  " + claim.id, "dim"))
            out.print(Padding(words, (0, 0, 0, 3)), width=width)
