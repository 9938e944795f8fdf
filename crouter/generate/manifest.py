"""MANIFEST.json: which policy and which contract the files were made for, and the digest of each."""

import json
from collections.abc import Mapping

from crouter.contract.version import CONTRACT
from crouter.generate.history import text_digest

MANIFEST = "MANIFEST.json"


def manifest_json(policy_digest: str, files: Mapping[str, str]) -> str:
    """The text of MANIFEST.json for `files`, sorted by path."""
    manifest = {
        "policy": policy_digest,
        "contract": CONTRACT,
        "files": {path: text_digest(files[path]) for path in sorted(files)},
    }
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
