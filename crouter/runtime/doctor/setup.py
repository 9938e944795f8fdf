"""What is set at all, and whether it is that of production; whether what runs is what was generated."""

from collections.abc import AsyncIterator
from typing import Final

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.manifest import StaleGeneratedError, require_manifest
from crouter.runtime.serve import EDGE_WORKER


async def _settings(ground: Ground) -> AsyncIterator[Finding]:
    for problem in ground.problems:
        yield Finding("failed", problem, "set it; docs/operator.md lists every setting")
    if not ground.problems:
        yield Finding("ok", "every setting that is needed is there and has its form")


async def _environment(ground: Ground) -> AsyncIterator[Finding]:
    if ground.environ.get("CROUTER_ENVIRONMENT", "").strip() == "development":
        do = "set CROUTER_ENVIRONMENT=production, or unset it"
        yield Finding("failed", "this is set up for development: no edge and no https are asked for", do)
    else:
        yield Finding("ok", "it is set up for production")


async def _manifest(ground: Ground) -> AsyncIterator[Finding]:
    try:
        require_manifest(ground.deployment, ground.generated)
    except (StaleGeneratedError, OSError) as refusal:
        told = str(refusal) if isinstance(refusal, StaleGeneratedError) else "a file of generated/ is missing"
        yield Finding("failed", told, "run `crouter generate` and deploy all of generated/ together")
    else:
        yield Finding("ok", "generated/ is what the service was generated with")


async def _edge(ground: Ground) -> AsyncIterator[Finding]:
    declared = (ground.generated / EDGE_WORKER).is_file()
    if declared and not ground.text("CROUTER_EDGE_SECRET"):
        found = "the policy says that an edge stands in front, and CROUTER_EDGE_SECRET is not set"
        yield Finding("failed", found, "set it here and as EDGE_SECRET of the Worker")
    elif declared:
        yield Finding("ok", "only requests that the edge has signed are answered")
    else:
        yield Finding("skipped", "the policy declares no edge")


CHECKS: Final = (
    Check("settings", "whether all settings are there", _settings),
    Check("environment", "whether this is production", _environment),
    Check("manifest", "whether generated/ is in step", _manifest),
    Check("edge_secret", "whether the edge has to prove itself", _edge),
)
