"""Checks that the declarations in memory and the generated files on disk come from one policy."""

import hashlib
import json
from pathlib import Path

from crouter.contract.deployment import Deployment

MANIFEST_FILE = "MANIFEST.json"


class StaleGeneratedError(Exception):
    """generated/ is not the one that the running code was generated with."""


def require_manifest(deployment: Deployment, generated: Path) -> None:
    """Refuses a manifest of another policy or contract than `deployment`, and published documents that were changed.

    Raises StaleGeneratedError, OSError.
    """
    try:
        manifest = json.loads((generated / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        raise StaleGeneratedError(f"generated/{MANIFEST_FILE} cannot be read: run `crouter generate`") from None
    told = (manifest.get("policy"), manifest.get("contract")) if isinstance(manifest, dict) else None
    if told != (deployment.policy_digest, deployment.contract):
        raise StaleGeneratedError(
            "generated/ holds files of another policy or contract than the service: run `crouter generate`"
        )
    for document in deployment.web.documents:
        digest = hashlib.sha256((generated / document.file).read_bytes()).hexdigest()
        if manifest.get("files", {}).get(document.file) != digest:
            raise StaleGeneratedError(f"generated/{document.file} is not as it was generated: run `crouter generate`")
