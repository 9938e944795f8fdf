"""The edge family: valid JavaScript that holds the policy's facts as data, and a configuration that keeps nothing."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from crouter.generate.templates import Templates
from crouter.generate.views import edge
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy

ROOT = Path(__file__).resolve().parents[3]
Edit = Callable[[dict[str, Any]], object]

# Takes the place of the mechanism, and tells what the Worker declares.
_TELLING = "export const edge = (declared) => (process.stdout.write(JSON.stringify(declared)), {});\n"


def rendered(edit: Edit = lambda said: None) -> dict[str, str]:
    said = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    edit(said)
    plan = make_plan(Policy.model_validate_json(json.dumps(said, default=str)))
    return edge.render(plan, Templates())


def node(*arguments: str, folder: Path) -> str:
    program = shutil.which("node")
    assert program, "node is a prerequisite of this repository"
    return subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def written(files: dict[str, str], folder: Path) -> Path:
    (folder / "package.json").write_text('{"type": "module"}')
    for path, text in files.items():
        (folder / Path(path).name).write_text(text, encoding="utf-8")
    return folder


def declared(files: dict[str, str], folder: Path) -> Any:
    """What worker.js declares, as JavaScript reads it."""
    written({**files, "edge/crouter-edge.js": _TELLING}, folder)
    return json.loads(node("worker.js", folder=folder))


def settings(files: dict[str, str]) -> Any:
    lines = files["edge/wrangler.jsonc"].splitlines()
    return json.loads("\n".join(line for line in lines if not line.startswith("//")))


def without_edge(said: dict[str, Any]) -> None:
    del said["security"]["edge"]
    for section in said["sections"]:
        section["claims"].pop("security-edge", None)


def test_without_an_edge_there_are_no_files() -> None:
    assert rendered(without_edge) == {}


def test_every_file_is_javascript_that_node_can_read(tmp_path: Path) -> None:
    folder = written(rendered(), tmp_path)
    for name in ("worker.js", "crouter-edge.js"):
        node("--check", name, folder=folder)


def test_the_worker_gives_a_handler_and_nothing_else(tmp_path: Path) -> None:
    folder = written(rendered(), tmp_path)
    told = node("--eval", 'console.log(Object.keys((await import("./worker.js")).default).join())', folder=folder)
    assert told.strip() == "fetch"


def test_the_worker_declares_what_the_policy_declares(tmp_path: Path) -> None:
    policy = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    facts = declared(rendered(), tmp_path)
    assert facts["drops_request_headers"] == policy["proxy"]["drops_request_headers"]
    assert facts["api_prefixes"] == ["/v1"]
    assert (facts["service"], facts["host"], facts["plain_http"], facts["tls_minimum"]) == (
        "Crouter",
        "crouter.dev",
        "refuse",
        "1.2",
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "</script><script>throw 1</script>",
        '"; throw new Error("x"); //',
        "`${process.exit(1)}`",
        "{{ view }}{% raw %}{# x #}",
        "*/ throw 1 /*",
        "\\u0022\\",
        "é中🔑'",
    ],
)
def test_text_of_the_policy_stays_data_in_javascript(hostile: str, tmp_path: Path) -> None:
    def edit(said: dict[str, Any]) -> None:
        said["service"]["name"] = hostile
        said["security"]["edge"]["runtime"] = hostile
        said["service"]["description"] = hostile

    files = rendered(edit)
    assert declared(files, tmp_path)["service"] == hostile
    for text in files.values():
        assert "</script" not in text
        assert not re.search("[\u2028\u2029]", text)


def test_the_mechanism_logs_nothing_caches_nothing_and_evaluates_nothing() -> None:
    mechanism = rendered()["edge/crouter-edge.js"]
    for word in ("console", "caches", "eval(", "Function(", "waitUntil", "setTimeout", "tee("):
        assert word not in mechanism
    assert 'cache: "no-store"' in mechanism


def test_the_installed_worker_keeps_and_tells_nothing_and_holds_no_secret() -> None:
    found = settings(rendered())
    assert found == {
        "name": "crouter-dev-edge",
        "main": "worker.js",
        "compatibility_date": "2026-04-26",
        "routes": [{"pattern": "crouter.dev", "custom_domain": True}],
        "workers_dev": False,
        "preview_urls": False,
        "observability": {"enabled": False},
        "logpush": False,
        "upload_source_maps": False,
        "send_metrics": False,
    }
    # They are named for the operator, and valued nowhere.
    for name in ("ORIGIN_URL", "EDGE_SECRET"):
        assert f"//   {name} " in rendered()["edge/wrangler.jsonc"]


@pytest.mark.claim("security-edge", by="edge_worker")
@pytest.mark.parametrize(
    ("edit", "file"),
    [
        (lambda said: said["security"]["edge"].update(compatibility_date="2025-01-02"), "edge/wrangler.jsonc"),
        (lambda said: said["service"].update(url="https://other.example"), "edge/wrangler.jsonc"),
        (lambda said: said["proxy"]["drops_request_headers"].append("x-more"), "edge/worker.js"),
        (lambda said: said["security"]["https"].update(plain_http="redirect"), "edge/worker.js"),
        (lambda said: said["security"]["https"].update(hsts="P1D"), "edge/worker.js"),
        (lambda said: said["security"]["https"].update(minimum_tls="1.3"), "edge/worker.js"),
    ],
)
def test_an_edit_of_the_policy_changes_the_edge(edit: Edit, file: str) -> None:
    # The first line names the policy, so it changes with every edit.
    before, after = (files[file].splitlines()[1:] for files in (rendered(), rendered(edit)))
    assert before != after
