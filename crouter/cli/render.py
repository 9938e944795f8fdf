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
) -> None:
    """Print the privacy policy as policy.yaml says it now, each sentence with its claim. Writes nothing."""
    terminal, project = Terminal(), Project.at(policy)
    plan = make_plan(require_policy(read_policy(project), terminal))
    if section is not None:
        plan = _only(plan, section)
    if format is Format.TEXT and terminal.is_interactive:
        _draw(terminal, plan.document)
        return
    files = policy_view.render(plan, Templates())
    terminal.raw(files[f"policy/privacy-policy.{_ENDINGS[format]}"])


def _only(plan: Plan, number: int) -> Plan:
    sections = tuple(section for section in plan.document.sections if section.number == number)
    if not sections:
        raise FailureError(f"the policy has sections 1 to {len(plan.document.sections)}, and no section {number}")
    return replace(plan, document=replace(plan.document, sections=sections))


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
