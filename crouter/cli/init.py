"""`crouter init`: asks what a first policy needs to know and writes policy.yaml. Overwrites nothing."""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from crouter.cli.groups import MAKING
from crouter.cli.options import PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.generate.drafting.answers import Answers, unfit
from crouter.generate.drafting.starter import placed, starter_text
from crouter.generate.drafting.vendors import VENDORS, Vendor
from crouter.generate.templates import Templates

# What is asked for, in this order, and what an answer may be left to.
_QUESTIONS: Final = {
    "name": ("What is the service called?", ""),
    "url": ("At which address is it found?", "https://"),
    "contact": ("Which e-mail address takes privacy questions?", ""),
    "controller": ("Who decides, by law: a company or a person?", ""),
    "office": ("At which postal address? (none for a service without an office)", "none"),
}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", rich_help_panel=MAKING)(init)


def init(
    policy: PolicyOption = None,
    name: Annotated[str, typer.Option("--name", help="What the service calls itself.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where it is found, with https://.")] = "",
    contact: Annotated[str, typer.Option("--contact", help="The e-mail address for privacy questions.")] = "",
    controller: Annotated[str, typer.Option("--controller", help="Who is answerable; the name unless given.")] = "",
    office: Annotated[str, typer.Option("--office", help="The postal address, or none.")] = "",
    description: Annotated[str, typer.Option("--description", help='Completes "… is …".')] = "",
    processor: Annotated[
        list[str] | None,
        typer.Option("--processor", metavar="NAME", help="A processor that you use, such as stripe. May be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what was given, and defaults.")] = False,
) -> None:
    """Write a first policy.yaml, with comments, that is valid as it is.

    Asks for what no option gave. Never writes over a file.
    """
    terminal, project = Terminal(), Project.at(policy)
    given = {"name": name, "url": url, "contact": contact, "controller": controller, "office": office}
    if not yes and sys.stdin.isatty():
        given = _asked(given)
    missing = [f"--{key}" for key in ("name", "url", "contact") if not given[key]]
    if missing:
        raise FailureError(f"nobody can be asked here, so give {', '.join(missing)}", "`crouter init --help` lists all")
    answers = Answers(
        name=given["name"],
        url=given["url"],
        contact=given["contact"],
        controller=given["controller"] or given["name"],
        office=given["office"] or "none",
        effective=date.today(),
        vendors=placed(tuple(_vendor(item) for item in dict.fromkeys(processor or []))),
    )
    if description:
        answers = replace(answers, description=description)
    if wrong := unfit(answers):
        raise FailureError("; ".join(f"--{key} {words}" for key, words in wrong.items()))
    write_new(project.policy, starter_text(answers, Templates()))
    terminal.line(f"{project.policy} is written: read it, every part says what it is for")
    terminal.line(f"  next       crouter generate{project.options}")
    terminal.line(f"  then       crouter check{project.options}, crouter render{project.options}")


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet. Raises FailureError."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as problem:
        raise FailureError(
            f"{path} exists and is left as it is", "name another file, or move this one away first"
        ) from problem
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "its name cannot be one"
        raise FailureError(f"{path} could not be written: {reason}") from problem


def _asked(given: dict[str, str]) -> dict[str, str]:
    answers = dict(given)
    for key, (question, otherwise) in _QUESTIONS.items():
        if not answers[key]:
            otherwise = answers["name"] if key == "controller" else otherwise
            answers[key] = typer.prompt(question, default=otherwise or None, err=True)
    return answers


def _vendor(name: str) -> Vendor:
    known = {vendor.name: vendor for vendor in VENDORS if vendor.role not in ("named", "upstream")}
    if name not in known:
        raise FailureError(f"--processor knows these: {', '.join(known)}", "add any other to policy.yaml by hand")
    return known[name]
