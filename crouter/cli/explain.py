"""`crouter explain`: what a code means, and what stands behind a sentence or a generated line."""

from difflib import get_close_matches
from typing import Annotated

import typer

from crouter.cli.explain_thread import Explained, claim_facts, line_facts, tell_claim, tell_line
from crouter.cli.groups import MAKING
from crouter.cli.options import JsonOption, OutputOption, PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.plan.document import compose_document
from crouter.policy.codes import CODES


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", rich_help_panel=MAKING)(explain)


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE|CLAIM|FILE[:LINE]]",
            help="As in PR-52, exclude-content or generated/service/logs.py:10; all claims without.",
        ),
    ] = None,
    policy: PolicyOption = None,
    output: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Explain a problem's code, a claim or a generated line.

    A claim leads to its values in policy.yaml, what is generated for it, what enforces it and what proves that; a line
    of a generated file leads back to policy.yaml and to the claims that speak of it.
    """
    terminal, project = Terminal(), Project.at(policy, output)
    if name is not None and name.upper() in CODES:
        _explain_code(terminal, name.upper(), json)
        return
    loaded = read_policy(project)
    checked = require_policy(loaded, terminal)
    claims = {claim.id: claim for claim in compose_document(checked).claims}
    if name is None:
        for claim in claims.values():
            terminal.line(f"{claim.id:<22} {claim.text}")
    elif name in claims:
        explained = Explained.of(project, loaded, checked)
        facts = claim_facts(explained, explained.threads[name])
        terminal.json(facts) if json else tell_claim(terminal, facts)
    elif "/" in name:
        facts = line_facts(Explained.of(project, loaded, checked), name)
        terminal.json(facts) if json else tell_line(terminal, facts)
    else:
        near = get_close_matches(name, [*claims, *CODES], n=1)
        hint = f"did you mean {near[0]}?" if near else "`crouter explain` lists the claims"
        raise FailureError(f"there is neither a claim nor a code {name}", hint)


def _explain_code(terminal: Terminal, code: str, as_json: bool) -> None:
    said = CODES[code]
    if as_json:
        told = {"code": code, "title": said.title, "explanation": said.explanation, "severity": said.severity}
        terminal.json({**told, "source": said.source, "profiles": list(said.profiles)})
        return
    terminal.line(f"{code}  {said.title}", style="bold")
    terminal.line(said.explanation)
    profiles = f", for the profiles {', '.join(said.profiles)}" if said.profiles else ""
    terminal.line(f"  {said.severity}{profiles}")
    if said.source:
        terminal.line(f"  source  {said.source}")
