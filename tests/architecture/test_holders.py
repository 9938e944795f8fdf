"""Everything that holds data is in the registry: a table nobody declared, or a file nobody named, breaks the build."""

from dataclasses import replace

import pytest

from crouter.contract.data import Field, Record
from crouter.contract.holders import HOLDERS
from crouter.plan.plan import make_plan
from crouter.plan.registry import Registry, forgotten, registry_of
from crouter.policy.load import load
from crouter.runtime.copies.contents import copied_records, left_out
from tests.architecture.conftest import Plant
from tests.architecture.rules import holders
from tests.architecture.rules.source import ROOT, Module, modules

DECLARED = frozenset(module for holder in HOLDERS for module in holder.written_by)
# Makes its tables by its library, whose statements are not ours.
BY_A_LIBRARY = frozenset({"crouter.runtime.retention.queue", "crouter.runtime.mail.folder"})


@pytest.fixture(scope="module")
def plan():  # type: ignore[no-untyped-def]
    policy = load((ROOT / "policy.yaml").read_text(encoding="utf-8")).policy
    assert policy is not None
    return make_plan(policy)


@pytest.fixture(scope="module")
def registry(plan) -> Registry:  # type: ignore[no-untyped-def]
    return registry_of(plan.deployment)


@pytest.fixture(scope="module")
def runtime() -> list[Module]:
    return modules(ROOT, "crouter/runtime")


def test_every_module_of_the_runtime_that_writes_is_named_by_a_holder(runtime: list[Module]) -> None:
    found = list(holders.undeclared(runtime, DECLARED))
    assert not found, "\n".join(map(str, found))


def test_every_holder_names_modules_that_write(runtime: list[Module]) -> None:
    writing = {module.name for module in runtime if list(holders.writing(module))}
    assert writing >= DECLARED - BY_A_LIBRARY
    assert len({holder.name for holder in HOLDERS}) == len(HOLDERS)


@pytest.mark.parametrize(
    "text",
    [
        "Path('kept').write_text('prompt')",
        "open('kept', 'ab')",
        "open('kept', mode='x')",
        "os.open('kept', os.O_CREAT)",
        "tempfile.mkstemp()",
        "json.dump({}, file)",
        "query = 'CREATE TABLE kept (id uuid)'",
        "query = 'create unlogged table kept (id uuid)'",
    ],
)
def test_a_planted_holder_that_nobody_declared_is_found(plant: Plant, text: str) -> None:
    folder = plant("crouter/runtime/dashboard/standing.py", text)
    found = list(holders.undeclared(modules(folder, "crouter/runtime/dashboard"), DECLARED))
    assert [finding.path for finding in found] == ["crouter/runtime/dashboard/standing.py"]


@pytest.mark.parametrize("text", ["open('kept', 'rb').read()", "json.dumps({})", "query = 'SELECT 1 FROM kept'"])
def test_what_only_reads_is_no_holder(plant: Plant, text: str) -> None:
    folder = plant("crouter/runtime/dashboard/standing.py", text)
    assert not list(holders.undeclared(modules(folder, "crouter/runtime/dashboard"), DECLARED))


def test_the_registry_the_schema_the_copy_and_the_erasure_are_of_the_same_columns(plan, registry) -> None:  # type: ignore[no-untyped-def]
    deployment = plan.deployment
    assert {table.name: {column.name for column in table.columns} for table in plan.schema.tables} == {
        table.name: set(table.columns) for table in registry.tables
    }
    of_people = {table.name for table in registry.tables if table.belongs_to is not None}
    copied = {one.name: one for one in copied_records(deployment)}
    out = left_out(deployment)
    assert of_people == set(copied) | {name for name in out if "." not in name}
    for name, one in copied.items():
        table = registry.table(name)
        assert {field.name for field in one.columns} | set(one.withheld) == set(table.columns)
        assert set(one.withheld) == set(table.secret)
        assert not {field.name for field in one.columns} & set(one.withheld), "nothing is covered twice"
    erased = {name for rule in deployment.retention.erase for name in (rule.owner, *rule.records)}
    assert erased == of_people
    assert {name for holder in HOLDERS for name in holder.of} <= {table.name for table in registry.tables}


def test_nothing_about_a_person_is_forgotten(registry: Registry) -> None:
    assert forgotten(registry) == []


def test_a_table_that_no_deletion_removes_is_told(plan) -> None:  # type: ignore[no-untyped-def]
    deployment = plan.deployment
    key = Field("id", "uuid", "names the row", "data.diary.technical.id")
    said = Field("said", "text", "what you said", "data.diary.fields.said", personal=True, purposes=("billing",))
    diary = Record("diary", "diary", "data.diary", "id", (key, said), owner="account")
    nobodys = replace(diary, name="rumours", owner=None)
    found = forgotten(registry_of(replace(deployment, records=(*deployment.records, diary, nobodys))))
    assert found == [
        "diary is about a person, and no deletion removes it",
        "rumours has fields about a person and belongs to nobody",
    ]
