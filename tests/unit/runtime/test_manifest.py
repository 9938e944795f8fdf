import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crouter.contract.web import Document
from crouter.runtime.manifest import StaleGeneratedError, require_manifest
from tests.unit.runtime.declarations import DEPLOYMENT

WITH_DOCUMENT = replace(
    DEPLOYMENT,
    web=replace(DEPLOYMENT.web, documents=(Document("/privacy.txt", "text/plain", "privacy.txt"),)),
)


def written(folder: Path, policy: str = DEPLOYMENT.policy_digest, contract: int = 1) -> Path:
    (folder / "privacy.txt").write_text("policy")
    files = {"privacy.txt": hashlib.sha256(b"policy").hexdigest()}
    (folder / "MANIFEST.json").write_text(json.dumps({"policy": policy, "contract": contract, "files": files}))
    return folder


def test_files_of_the_same_policy_are_accepted(tmp_path: Path) -> None:
    require_manifest(WITH_DOCUMENT, written(tmp_path))


@pytest.mark.parametrize(("policy", "contract"), [("1" * 64, 1), (DEPLOYMENT.policy_digest, 2)])
def test_files_of_another_policy_or_contract_are_refused(tmp_path: Path, policy: str, contract: int) -> None:
    with pytest.raises(StaleGeneratedError, match="crouter generate"):
        require_manifest(WITH_DOCUMENT, written(tmp_path, policy, contract))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (written(tmp_path) / "MANIFEST.json").write_text(text)
    with pytest.raises(StaleGeneratedError):
        require_manifest(WITH_DOCUMENT, tmp_path)
    with pytest.raises(StaleGeneratedError):
        require_manifest(WITH_DOCUMENT, tmp_path / "nowhere")


def test_a_published_document_that_was_edited_is_refused(tmp_path: Path) -> None:
    (written(tmp_path) / "privacy.txt").write_text("policy, improved by hand")
    with pytest.raises(StaleGeneratedError, match=r"privacy\.txt"):
        require_manifest(WITH_DOCUMENT, tmp_path)
