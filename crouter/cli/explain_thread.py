"""Prints the thread of a claim, from the sentence to the tests, and the way back from a line of a generated file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crouter.cli.outcome import FailureError
from crouter.cli.project import Project
from crouter.cli.proofs import proofs_of
from crouter.cli.terminal import Terminal
from crouter.generate.tree import read_tree
from crouter.plan.plan import Plan, make_plan
from crouter.policy.load import Loaded
from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import Policy
from crouter.policy.problems import Path as PolicyPlace
from crouter.policy.problems import dotted
from crouter.proof.declared import declared_by
from crouter.proof.places import Behind, behind_line, generated_places, mechanism_place, steps
from crouter.proof.threads import Thread, claims_of, threads

# A declared thing of which a claim has many more is told by its first ones.
_SHOWN_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Explained:
    """A project's policy with everything that explaining needs."""

    project: Project
    loaded: Loaded
    plan: Plan
    files: dict[str, str]
    threads: dict[str, Thread]

    @classmethod
    def of(cls, project: Project, loaded: Loaded, policy: Policy) -> "Explained":
        """Reads the generated files and the proofs. Raises FailureError."""
        plan = make_plan(policy)
        try:
            tree = read_tree(project.generated) if project.generated.is_dir() else {}
        except OSError as problem:
            raise FailureError(f"{project.generated} cannot be read: {problem.strerror}") from problem
        files = {path: content.decode(errors="replace") for path, content in tree.items() if content is not None}
        registry = proofs_of(project, policy).registry
        return cls(project, loaded, plan, files, {thread.claim.id: thread for thread in threads(plan, registry)})

    def policy_place(self, path: str) -> str:
        """File, line and column of a value of the policy."""
        found = steps(path, self.plan.policy) or ()
        return str(self.loaded.positions.of_key(found))


def claim_facts(explained: Explained, thread: Thread) -> dict[str, Any]:
    """Everything behind a claim, each thing with its file and line."""
    claim, manual = thread.claim, thread.declaration.manual
    return {
        "claim": claim.id,
        "text": claim.text,
        "says": claim.says,
        "statement": thread.statement,
        "declared_at": str(explained.loaded.positions.of_key(thread.path)),
        "about": thread.paths[0],
        "about_at": explained.policy_place(thread.paths[0]),
        "values": {path: explained.policy_place(path) for path in thread.paths[1:]},
        "declarations": [
            {"kind": thing.kind, "name": thing.name, "policy_path": dotted(thing.path), "at": _at(explained, thing)}
            for thing in thread.declared
        ],
        "enforced_by": {name: MECHANISMS[name].does for name in claim.enforced_by},
        "mechanisms": [
            {
                "name": step.mechanism,
                "does": MECHANISMS[step.mechanism].does,
                "at": _mechanism_at(explained, step.mechanism),
                "probe": MECHANISMS[step.mechanism].probe,
                "tests": [_test_at(test.file, test.line, test.name) for test in step.tests],
            }
            for step in thread.enforced
        ],
        "tests": [_test_at(test.file, test.line, test.name) for test in thread.tests],
        "manual": {"owner": manual.owner, "review": manual.review.isoformat()} if manual else None,
    }


def tell_claim(terminal: Terminal, facts: dict[str, Any]) -> None:
    """Print what `claim_facts` found."""
    terminal.line(facts["claim"], style="bold")
    terminal.line(f"  {facts['text']}")
    terminal.line(f"  claim        {facts['declared_at']}  a {facts['statement']}")
    terminal.line(f"  about        {facts['about']}  {facts['about_at']}")
    for path, place in facts["values"].items():
        terminal.line(f"  value        {path}  {place}")
    for thing in facts["declarations"][:_SHOWN_MAX]:
        terminal.line(f"  declared     {thing['kind']} {thing['name']}  {'  '.join(thing['at'])}")
    if len(facts["declarations"]) > _SHOWN_MAX:
        terminal.line(f"  declared     … and {len(facts['declarations']) - _SHOWN_MAX} more (--json lists them)")
    for step in facts["mechanisms"]:
        terminal.line(f"  enforced by  {step['name']}: {step['does']}  {step['at']}")
        for test in step["tests"]:
            terminal.line(f"    proven by  {test}")
        if step["probe"]:
            terminal.line(f"    probe      {step['probe']}")
    if not facts["mechanisms"]:
        for test in facts["tests"]:
            terminal.line(f"  proven by    {test}")
        enough = "a fact: it is rendered as policy.yaml says it" if facts["statement"] == "fact" else "nothing"
        person = "a person keeps this promise" if facts["manual"] else f"nothing in the service; {enough}"
        terminal.line(f"  enforced by  {person}")
    if facts["manual"]:
        terminal.line(f"  manual       {facts['manual']['owner']}, next review {facts['manual']['review']}")


def line_facts(explained: Explained, name: str) -> dict[str, Any]:
    """What stands behind `generated/…` or `generated/…:line`. Raises FailureError."""
    path, _, number = name.partition(":") if re.search(r":\d+$", name) else (name, "", "")
    file = _below(path, explained.project.generated)
    if file is None or file not in explained.files:
        hint = "`crouter generate` writes it" if file else f"name a file below {explained.project.generated}/"
        raise FailureError(f"there is no generated file {path}", hint)
    plan, text = explained.plan, explained.files[file]
    things = declared_by(plan.deployment, plan.policy)
    asked = [int(number)] if number else range(1, len(text.splitlines()) + 1)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in asked:
        behind = behind_line(text, file, line, things, explained.threads, plan.policy)
        if behind is None:
            continue
        places = dict.fromkeys((*(thing.path for thing in behind.declared), *behind.paths)) or {(): None}
        for place in places:
            claims = _claims_at(explained, behind, place)
            found[(dotted(place), *claims)] = {
                "line": behind.line,
                "policy_path": dotted(place),
                "at": str(explained.loaded.positions.of_key(place)) if place else "",
                "claims": claims,
            }
    return {"file": f"{explained.project.generated.as_posix()}/{file}", "behind": list(found.values())}


def tell_line(terminal: Terminal, facts: dict[str, Any]) -> None:
    """Print what `line_facts` found."""
    terminal.line(facts["file"], style="bold")
    if not facts["behind"]:
        terminal.line("  nothing here names a place of policy.yaml")
    for behind in facts["behind"]:
        claims = ", ".join(behind["claims"]) or "no claim of its own"
        place = f"{behind['policy_path']}  {behind['at']}" if behind["policy_path"] else "the sentence of"
        terminal.line(f"  {behind['line']:>5}  {place}  →  {claims}")


def _claims_at(explained: Explained, behind: Behind, place: PolicyPlace) -> list[str]:
    """The claims that a line names, or else those that speak of the thing or of the value that stands there."""
    if behind.claims:
        return list(behind.claims)
    speaking = [claim for thing in behind.declared if thing.path == place for claim in claims_of(thing, explained.plan)]
    if speaking:
        return speaking
    path = dotted(place)
    entry = ".".join(path.split(".")[:2])
    return [
        name
        for name, thread in explained.threads.items()
        if any(said in (path, entry) or said.startswith(f"{entry}.") for said in thread.paths)
    ]


def _at(explained: Explained, thing: Any) -> list[str]:
    folder = explained.project.generated.as_posix()
    return [f"{folder}/{file}:{line}" for file, line in generated_places(thing, explained.files)]


def _mechanism_at(explained: Explained, name: str) -> str:
    file, line = mechanism_place(name, explained.project.generated)
    return f"{_short(file)}:{line}"


def _test_at(file: str, line: int, name: str) -> str:
    return f"{file}:{line} {name}" if line else f"{file} {name} (shipped with the library)"


def _short(file: Path) -> str:
    return file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else file.as_posix()


def _below(path: str, generated: Path) -> str | None:
    given = Path(path)
    for folder in (generated, generated.absolute()):
        if given.is_relative_to(folder):
            return given.relative_to(folder).as_posix()
    return None
