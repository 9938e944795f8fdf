"""The table of what the library needs agrees with the library. Its statements are run in tests/behaviour."""

from typing import get_args, get_type_hints

from crouter.policy.load import load
from crouter.policy.needs import NEEDED_LOGS, NEEDED_TABLES
from crouter.policy.rules.columns import column_types
from crouter.policy.rules.surface import OWN_FOLDERS, OWN_PATHS
from crouter.runtime import names
from crouter.runtime.accounts import CreditKind
from crouter.runtime.charging import CHARGE
from crouter.runtime.retention.evidence import COLUMNS, Evidence
from crouter.runtime.retention.report import RETENTION_LOG
from crouter.runtime.running import SERVICE_LOG
from tests.unit.policy import cases
from tests.unit.policy.test_load import POLICY


def test_the_tables_are_those_that_the_runtime_names() -> None:
    named = {value for name, value in vars(names).items() if name.isupper()}
    assert NEEDED_TABLES.keys() == {*named, "retention_run"}


def test_kinds_of_entry_are_those_that_are_written() -> None:
    assert set(NEEDED_TABLES["ledger"].columns["kind"].values) == {*get_args(CreditKind), CHARGE}


def test_the_evidence_of_a_run_has_exactly_its_columns_and_outcomes() -> None:
    table = NEEDED_TABLES["retention_run"]
    assert tuple(table.columns) == COLUMNS
    assert not table.may_hold_more
    ends = get_args(get_type_hints(Evidence.end)["outcome"])
    assert table.columns["outcome"].values == ("running", *ends)


def test_the_logs_are_those_that_processes_write() -> None:
    assert NEEDED_LOGS == (SERVICE_LOG, RETENTION_LOG)


def test_the_first_policy_declares_every_needed_column_with_its_type() -> None:
    policy = load(POLICY.read_text(encoding="utf-8")).policy
    assert policy is not None
    for name, table in NEEDED_TABLES.items():
        types = column_types(policy.data[name])
        assert {column: types[column] for column in table.columns} == {c: n.type for c, n in table.columns.items()}


def test_pages_of_the_service_are_below_no_api() -> None:
    assert all(not path.startswith("/v1") for path in (*OWN_PATHS, *OWN_FOLDERS))


def test_only_the_period_of_the_book_is_refused() -> None:
    ending = "book: {of: [book], keep: P10Y, from: occurred_at, every: P1D, lag_max: P1D}"
    text = cases.text_of("books-that-end")
    assert [problem.code for problem in load(text).problems] == ["PR-63"]
    assert not load(text.replace(ending, "book: {of: [book], keep: while_active}")).problems
