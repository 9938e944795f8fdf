import pytest
from hypothesis import given
from hypothesis import strategies as st
from pglast import parse_sql
from pglast.ast import A_Const, ResTarget, SelectStmt, String

from crouter.plan.sql import NAME_BYTES_MAX, identifier, joined_name, literal, relation_name

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


def selected(text: str) -> ResTarget:
    """The one thing that a SELECT gives, as PostgreSQL's own parser reads it."""
    (statement,) = parse_sql(text)
    assert isinstance(statement.stmt, SelectStmt)
    (target,) = statement.stmt.targetList or ()
    assert isinstance(target, ResTarget)
    return target


@given(TEXT)
def test_a_text_reads_back_as_itself(text: str) -> None:
    constant = selected(f"SELECT {literal(text)}").val
    assert isinstance(constant, A_Const)
    assert isinstance(constant.val, String)
    assert constant.val.sval == text


@given(TEXT.filter(lambda text: 0 < len(text.encode()) <= NAME_BYTES_MAX))
def test_a_name_reads_back_as_itself(name: str) -> None:
    assert selected(f"SELECT 1 AS {identifier(name)}").name == name


def test_other_values_are_constants() -> None:
    assert [literal(value) for value in (None, True, False, -3)] == ["NULL", "true", "false", "-3"]


@pytest.mark.parametrize("name", ["", "a\0b", "a" * 64, "é" * 32])
def test_a_name_that_postgresql_would_change_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL name"):
        identifier(name)


def test_a_text_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        literal("a\0b")


def test_long_names_are_shortened_and_stay_apart() -> None:
    first, second = (joined_name("a" * 40, "b" * 40, end) for end in ("one", "two"))
    assert first != second
    assert len(first) == len(second) == NAME_BYTES_MAX


def test_relations_of_different_tables_cannot_have_one_name() -> None:
    assert relation_name("usage", "api_key", "index") != relation_name("usage_api", "key", "index")
    assert relation_name("account", "key") != "account_key"
