"""Tests are found by their marks and names, and no mark counts for more than it says."""

from pathlib import Path

import pytest

from crouter.policy.load import load_file
from crouter.policy.rules.claims import placed_claims
from crouter.proof.collect import WHOLE, UnreadableTestError, collect
from crouter.proof.registry import FILE, Registry, made, parsed, shipped, written
from tests.unit.proof.conftest import ROOT

SOURCE = """
import pytest
from crouter.runtime.logs import Log

pytestmark = [pytest.mark.claim("for-all"), pytest.mark.asyncio]

@pytest.mark.claim("one", by="header_filter")
@pytest.mark.parametrize("x", [1])
def test_marked(x): ...

async def test_two__by_its_name(): ...

class TestGroup:
    @pytest.mark.claim("three", by=("usage_tap", "sealed_keys"))
    def test_inside(self): ...

def no_test(): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_a.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_marks_names_classes_and_modules_count(project: Path) -> None:
    found = {(test.name, test.claim): (test.line, test.by) for test in collect(project, ["two"])}
    assert found == {
        ("test_marked", "for-all"): (9, ("declared_log_fields",)),
        ("test_marked", "one"): (9, ("header_filter",)),
        ("test_two__by_its_name", "for-all"): (11, ("declared_log_fields",)),
        ("test_two__by_its_name", "two"): (11, ("declared_log_fields",)),
        ("test_inside", "for-all"): (15, ("declared_log_fields",)),
        ("test_inside", "three"): (15, ("usage_tap", "sealed_keys")),
    }


def test_a_test_of_the_whole_service_is_about_every_mechanism_and_a_unit_test_about_none(tmp_path: Path) -> None:
    for folder in ("unit", "behaviour"):
        (tmp_path / "tests" / folder).mkdir(parents=True)
        path = tmp_path / "tests" / folder / "test_b.py"
        path.write_text('import pytest\n@pytest.mark.claim("one")\ndef test_x(): ...\n', encoding="utf-8")
    assert [(test.file.split("/")[1], test.by) for test in collect(tmp_path)] == [("behaviour", (WHOLE,)), ("unit", ())]


def test_the_digest_is_that_of_the_test_and_of_nothing_else(project: Path) -> None:
    before = {test.name: test.digest for test in collect(project)}
    path = project / "tests" / "unit" / "test_a.py"
    path.write_text("# more\n" + SOURCE.replace("[1]", "[2]"), encoding="utf-8")
    after = {test.name: test.digest for test in collect(project)}
    assert {name for name in before if before[name] != after[name]} == {"test_marked"}


def test_nothing_is_imported(project: Path) -> None:
    (project / "tests" / "unit" / "test_c.py").write_text("raise SystemExit\n", encoding="utf-8")
    assert collect(project)


def test_a_file_that_is_no_python_is_named(project: Path) -> None:
    (project / "tests" / "unit" / "test_c.py").write_text("def (\n", encoding="utf-8")
    with pytest.raises(UnreadableTestError, match=r"tests/unit/test_c\.py"):
        collect(project)


def test_what_is_shipped_is_what_the_tests_say() -> None:
    policy = load_file(ROOT / "policy.yaml").policy
    assert policy is not None
    marked = collect(ROOT, [placed.name for placed in placed_claims(policy)])
    assert FILE.read_text(encoding="utf-8") == written(made(policy, marked)), "renew it: crouter generate"


def test_a_registry_reads_back_as_itself() -> None:
    assert parsed(written(shipped())) == shipped()


def test_the_tests_of_a_claim_elsewhere_are_those_of_its_kind() -> None:
    policy = load_file(ROOT / "policy.yaml").policy
    assert policy is not None
    claims = {placed.name: placed.claim for placed in placed_claims(policy)}
    registry: Registry = shipped()
    ours = registry.for_claim("retain-usage", claims["retain-usage"])
    assert {test.claim for test in ours} == {"retain-usage"}
    elsewhere = registry.for_claim("we-keep-little", claims["retain-usage"])
    assert {test.claim for test in elsewhere} == {"retain-usage", "retain-account", "retain-session"}
