"""From a policy to the text of every generated file. Pure: the same policy and history give the same bytes.

What differs on disk is `drift.py`, writing is `emit.py`.
"""

from collections.abc import Callable, Mapping

from crouter.generate.history import History
from crouter.generate.manifest import MANIFEST, manifest_json
from crouter.generate.migrations import extend_history
from crouter.generate.templates import Templates
from crouter.generate.versioning import extend_versions
from crouter.generate.versions import Versions
from crouter.generate.views import database, edge, proof, records, retention, service, web
from crouter.generate.views import policy as document
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy

Family = Callable[[Plan, Templates], dict[str, str]]

FAMILIES: Mapping[str, Family] = {
    "service": service.render,
    "database": database.render,
    "retention": retention.render,
    "web": web.render,
    "policy": document.render,
    "proof": proof.render,
    "records": records.render,
    "edge": edge.render,
}
"""Every family of outputs. Each gives paths below generated/ and their text."""


def render_all(policy: Policy, history: History, versions: Versions | None = None) -> dict[str, str]:
    """Every file below generated/: its path, with slashes, and its text, sorted by path.

    `history` is what `read_history` found, `versions` what `read_versions` did. Where the policy needs another
    database, the result holds one more migration than the history; where it names another version, one more version.
    Leaves the decision about a destructive migration, and about what may be no version, to `emit`.
    """
    plan, templates = make_plan(policy), Templates()
    extended = extend_versions(plan, templates, versions or Versions.empty())
    return render_plan(plan, templates, extend_history(plan, templates, history), extended)


def render_plan(plan: Plan, templates: Templates, history: History, versions: Versions) -> dict[str, str]:
    """As `render_all`, for a plan that is made, and a history and versions that lead to it already."""
    files: dict[str, str] = {}
    for name, family in FAMILIES.items():
        _add(files, name, family(plan, templates))
    _add(files, "database", history.files())
    _add(files, "policy", versions.files())
    files[MANIFEST] = manifest_json(plan.digest, files)
    return dict(sorted(files.items()))


def _add(files: dict[str, str], family: str, more: Mapping[str, str]) -> None:
    for path, text in more.items():
        assert path not in files, f"two families write {path}"
        assert text.endswith("\n"), f"{family}: {path} does not end with a line"
        assert "\r" not in text, f"{family}: {path} holds a carriage return"
        files[path] = text
