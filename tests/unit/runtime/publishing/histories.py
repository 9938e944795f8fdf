"""A folder of generated files with two versions of the policy, the second of which keeps usage longer."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crouter.contract.deployment import Deployment
from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.generate.templates import Templates
from crouter.generate.versioning import extend_versions
from crouter.generate.versions import Versions
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.policy.model import Policy
from tests.unit.runtime.retention.databases import ROOT


@dataclass(frozen=True)
class Said:
    """What was generated, and from which folder."""

    deployment: Deployment
    generated: Path


def first_policy() -> Policy:
    found = load_file(ROOT / "policy.yaml").policy
    assert found is not None
    return found


def longer(policy: Policy, effective: date, version: str = "2.0") -> Policy:
    """The next version, which keeps usage for 24 months: a significant change."""
    dates = policy.policy.model_copy(update={"version": version, "effective": effective})
    retention = {**policy.retention, "usage": policy.retention["usage"].model_copy(update={"keep": "P24M"})}
    changed = policy.model_copy(update={"policy": dates, "retention": retention})
    return Policy.model_validate_json(changed.model_dump_json(by_alias=True))


def generate_versions(folder: Path, *policies: Policy) -> Said:
    """Every policy as a version, and the files of the last one in `folder`."""
    versions = Versions.empty()
    for policy in policies:
        versions = extend_versions(make_plan(policy), Templates(), versions)
    for path, text in render_all(policies[-1], History.empty(), versions).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Said(make_plan(policies[-1]).deployment, folder)
