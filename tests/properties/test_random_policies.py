"""Whatever a valid policy says, everything renders, parses, is in step, and means the same when it is read back.

`CROUTER_TORTURE=20` runs twenty times as many examples; a failure prints how to repeat it.
"""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crouter.embedded import Cluster, PostgresBinaries
from crouter.generate.drift import find_drift
from crouter.generate.emit import emit
from crouter.generate.history import History
from crouter.generate.render import render_all
from crouter.policy.load import load
from crouter.policy.model import Policy
from tests.properties.policies import HOSTILE, as_yaml, loaded, policies
from tests.properties.shapes import SHAPES
from tests.properties.tables import Tree

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SHIM = ROOT / "crouter" / "runtime" / "database" / "supabase_shim.sql"
# In place of pg_cron, which not every server has.
CRON = b"""CREATE SCHEMA cron; CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint
LANGUAGE sql AS 'SELECT 1::bigint'"""
MORE = int(os.environ.get("CROUTER_TORTURE", "1"))

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
# Without shrinking, which takes minutes here: what failed is printed as it is.
few = settings(
    max_examples=8 * MORE,
    deadline=None,
    print_blob=True,
    suppress_health_check=CHECKS,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
# For what takes seconds each time.
rare = settings(few, max_examples=2 * MORE)


def policy_of(tree: Tree) -> Policy:
    result = loaded(tree)
    assert result.policy is not None, result.problems
    return result.policy


def as_tree(policy: Policy) -> Any:
    """The policy as plain data, as somebody would write it."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: plain(value) for key, value in node.items()}
        return [plain(value) for value in node] if isinstance(node, list | tuple) else node

    return plain(policy.model_dump(by_alias=True, exclude_none=True))


@few
@given(policies(texts=HOSTILE))
def test_a_policy_that_is_built_to_be_valid_is_valid_and_renders_the_same_twice(tree: Tree) -> None:
    policy = policy_of(tree)
    first = render_all(policy, History.empty())
    assert first == render_all(policy_of(tree), History.empty())


@few
@given(policies(texts=HOSTILE))
def test_what_is_loaded_and_written_again_is_the_same_policy(tree: Tree) -> None:
    policy = policy_of(tree)
    assert load(as_yaml(as_tree(policy))).policy == policy


@few
@given(policies(texts=HOSTILE))
def test_every_output_parses_in_its_own_language(tree: Tree) -> None:
    for path, text in render_all(policy_of(tree), History.empty()).items():
        if shape := SHAPES.get(Path(path).suffix):
            shape(text)


WORDS = st.integers(0, 10**9).map("word {}".format)
HARM = '"""  \'\'\' \\ \\" */ -- /* // # %% {{ 7*7 }} {% raw %} ${x} $$ ]]> `id` ; DROP TABLE x; \\N \\u0022'
HARM += "</script></style><b>&amp;"


def _hostile(node: Any) -> Any:
    """Each word for people replaced by one that would be code somewhere; different words stay different."""
    if isinstance(node, dict):
        return {key: _hostile(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_hostile(value) for value in node]
    return re.sub(r"word (\d+)", lambda match: f"{HARM} {match[1]}", node) if isinstance(node, str) else node


@few
@given(policies(texts=WORDS))
def test_hostile_words_change_literals_only(tree: Tree) -> None:
    harmed = _hostile(copy.deepcopy(tree))
    # The version is more than a literal: it names a folder of its history.
    harmed["policy"]["version"] = tree["policy"]["version"]
    calm, loud = (render_all(policy_of(each), History.empty()) for each in (tree, harmed))
    assert set(calm) == set(loud)
    different = [
        path
        for path, text in calm.items()
        if (shape := SHAPES.get(Path(path).suffix)) and shape(text) != shape(loud[path])
    ]
    assert different == []


def test_a_word_that_becomes_code_would_be_found() -> None:
    shape = SHAPES[".py"]
    assert shape("LABEL = 'a'") == shape("LABEL = 'b'")
    assert shape("LABEL = 'a'") != shape("LABEL = 'a' + x")
    assert SHAPES[".sql"]("SELECT 'a'") == SHAPES[".sql"]("SELECT 'b'")
    assert SHAPES[".sql"]("SELECT 'a'") != SHAPES[".sql"]("SELECT 'a'; DROP TABLE x")
    assert SHAPES[".js"]('f("a")') != SHAPES[".js"]('f("a" + x)')


@rare
@given(policies(texts=HOSTILE))
def test_what_is_written_is_in_step(tree: Tree) -> None:
    policy = policy_of(tree)
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / "generated"
        emit(policy, generated)
        assert find_drift(policy, generated) == ()
        assert emit(policy, generated).written == ()


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@settings(rare, max_examples=MORE)
@given(policies(texts=HOSTILE, size=2))
def test_python_passes_formatter_linter_and_types_and_javascript_is_read_by_node(tree: Tree) -> None:
    configuration = ROOT / "pyproject.toml"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        emit(policy_of(tree), folder / "generated")
        (folder / "crouter").symlink_to(ROOT / "crouter")
        ruff = (TOOLS / "ruff", "--no-cache", "--config", configuration)
        run(TOOLS / "ruff", "format", "--check", *ruff[1:], "generated", folder=folder)
        run(TOOLS / "ruff", "check", *ruff[1:], "--config", f"src = ['{folder}']", "generated", folder=folder)
        run(TOOLS / "mypy", "--config-file", configuration, "--cache-dir", folder / "cache", "generated", folder=folder)
        if shutil.which("node") is None:
            pytest.skip("NOT TESTED with node: it is not installed")
        for script in (folder / "generated").rglob("*.js"):
            module = script.with_suffix(".mjs")
            script.rename(module)
            run("node", "--check", module, folder=folder)


def test_sql_is_carried_out_by_a_real_database(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("postgres") / "data"
    with Cluster(data, PostgresBinaries.embedded(), durable=False).start() as server:
        made = 0

        @settings(rare, max_examples=4 * MORE)
        @given(policies(texts=HOSTILE))
        def carried_out(tree: Tree) -> None:
            nonlocal made
            made += 1
            name = f"random_{made}"
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            files = render_all(policy_of(tree), History.empty())
            with psycopg.connect(server.dsn(name), autocommit=True) as database:
                database.execute(SHIM.read_bytes())
                for path in sorted(path for path in files if re.fullmatch(r"database/migrations/.*\.sql", path)):
                    database.execute(files[path].encode())
                database.execute(CRON)
                database.execute(files["retention/pg_cron.sql"].encode())
                for rule in tree["retention"]:
                    if rule != "account":
                        database.execute(f'CALL crouter_cron."{rule}"()'.encode())
                found = database.execute(
                    "SELECT relname FROM pg_class"
                    " WHERE relnamespace = 'crouter'::regnamespace AND relkind IN ('r', 'p')"
                ).fetchall()
            assert set(tree["data"]) <= {str(row[0]) for row in found}

        carried_out()
        assert made > 1


def grown(tree: Tree, times: int) -> Tree:
    """A policy with `times` as many categories, processors, purposes, cookies and claims as one with a few."""
    large = copy.deepcopy(tree)
    kept = next(name for name in tree["data"] if name.startswith("kept"))
    party = next(name for name in tree["processors"] if name.startswith("party"))
    claims = large["sections"][0]["claims"]
    for number in range(times):
        large["data"][f"more_{number}"] = copy.deepcopy(tree["data"][kept])
        large["purposes"][f"more_{number}"] = copy.deepcopy(tree["purposes"]["purpose_0"])
        own = {
            "hosts": [f"more{number}.party.example"],
            "receives": [f"more_{number}"],
            "purposes": tree["data"][kept]["fields"]["field_0"]["purposes"],
        }
        large["processors"][f"more_{number}"] = {**copy.deepcopy(tree["processors"][party]), **own}
        large["cookies"][f"more_{number}"] = copy.deepcopy(tree["cookies"]["cookie_0"])
        for rule in ("account", "deletion"):
            large["retention"][rule]["of"].append(f"more_{number}")
        claims[f"more-{number}"] = {
            "says": "collects",
            "about": f"data.more_{number}",
            "enforced_by": ["declared_columns"],
        }
        claims[f"party-{number}"] = {"says": "processor", "about": f"processors.more_{number}"}
    return large


@settings(rare, max_examples=1)
@given(policies(texts=WORDS).filter(lambda tree: "kept_0" in tree["data"] and "party_0" in tree["processors"]))
def test_a_policy_ten_times_as_large_renders(tree: Tree) -> None:
    policy = policy_of(grown(tree, 60))
    started = time.process_time()
    files = render_all(policy, History.empty())
    assert "more_59" in files["service/records/more_59.py"]
    # Coarse on purpose: a second on a slow machine. `make bench` measures.
    assert time.process_time() - started < 20
