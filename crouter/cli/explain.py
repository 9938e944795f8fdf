"""`crouter explain`: what a problem's code means, and what stands behind a sentence of the policy."""

from difflib import get_close_matches
from typing import Annotated, Any

import typer

from crouter.cli.groups import MAKING
from crouter.cli.options import JsonOption, PolicyOption
from crouter.cli.outcome import FailureError
from crouter.cli.policy_file import read_policy, require_policy
from crouter.cli.project import Project
from crouter.cli.terminal import Terminal
from crouter.plan.document import DocumentClaim, compose_document
from crouter.plan.sentences.topic import topic_of
from crouter.policy.codes import CODES
from crouter.policy.load import Loaded
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import Claim, Policy
from crouter.policy.problems import Path as PolicyPlace


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", rich_help_panel=MAKING)(explain)


def explain(
    name: Annotated[
        str | None, typer.Argument(metavar="[CODE|CLAIM]", help="As in PR-52, or exclude-content; all claims without.")
    ] = None,
    policy: PolicyOption = None,
    json: JsonOption = False,
) -> None:
    """Explain a problem's code, or a claim: its sentence, the part of policy.yaml it comes from, what enforces it."""
    terminal, project = Terminal(), Project.at(policy)
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
        _explain_claim(terminal, claims[name], loaded, checked, json)
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


def _explain_claim(terminal: Terminal, claim: DocumentClaim, loaded: Loaded, policy: Policy, as_json: bool) -> None:
    declared, at = _declared(policy, claim.id)
    topic = topic_of(policy, declared)
    place = loaded.positions.of_key(at)
    about = loaded.positions.of_key(_steps(topic.path))
    if as_json:
        facts: dict[str, Any] = {
            "claim": claim.id,
            "text": claim.text,
            "says": claim.says,
            "declared_at": str(place),
            "about": topic.path,
            "about_at": str(about),
            "enforced_by": {name: MECHANISMS[name].does for name in claim.enforced_by},
        }
        terminal.json(facts)
        return
    terminal.line(claim.id, style="bold")
    terminal.line(f"  {claim.text}")
    terminal.line(f"  claim        {place}")
    terminal.line(f"  about        {topic.path}  {about}")
    for name in claim.enforced_by:
        terminal.line(f"  enforced by  {name}: {MECHANISMS[name].does}  ({MECHANISMS[name].module})")
    if not claim.enforced_by:
        terminal.line("  enforced by  nothing in the service: a person keeps this promise")


def _declared(policy: Policy, claim_id: str) -> tuple[Claim, PolicyPlace]:
    """The claim as the file declares it, and its place there."""
    for number, section in enumerate(policy.sections):
        if claim_id in section.claims:
            return section.claims[claim_id], ("sections", number, "claims", claim_id)
    raise AssertionError("a composed claim is declared")


def _steps(path: str) -> PolicyPlace:
    return tuple(int(step) if step.isdecimal() else step for step in path.split("."))
