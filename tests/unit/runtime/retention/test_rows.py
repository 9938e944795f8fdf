"""Counting and removing rows that meet a condition."""

import psycopg
import pytest
from psycopg import sql

from crouter.runtime.retention.rows import Doomed, Share, remove_batch
from tests.unit.runtime.retention.databases import TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


@pytest.mark.parametrize(
    ("share", "implausible"),
    [
        (Share(20, 100), False),
        (Share(21, 100), True),
        (Share(10, 10), False),
        (Share(0, 0), False),
        (Share(11, 11), True),
    ],
)
def test_a_share_is_implausible_above_the_percentage_and_the_number(share: Share, implausible: bool) -> None:
    assert share.implausible(percent_max=20, always_allowed=10) is implausible


def test_a_batch_is_the_oldest_rows_and_no_more_than_asked(empty_database: TestDatabase) -> None:
    with psycopg.connect(empty_database.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id int PRIMARY KEY, age int)")
        connection.execute("INSERT INTO thing SELECT n, 100 - n FROM generate_series(1, 100) AS n")
        doomed = Doomed("thing", ("id",), sql.SQL("t.age < 50"), "age")
        assert doomed.count(connection) == 50
        assert doomed.share(connection, 20) == Share(50, 100)
        assert remove_batch(doomed, connection, 30) == 30
        assert connection.execute("SELECT min(age) FROM thing").fetchone() == (30,)
        assert doomed.any_left(connection)
        assert [remove_batch(doomed, connection, 30) for _ in range(2)] == [20, 0]
        assert not doomed.any_left(connection)


def test_names_are_quoted_whatever_they_are(empty_database: TestDatabase) -> None:
    name = 'a"; DROP TABLE x; --'
    with psycopg.connect(empty_database.dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE TABLE {} ({} int PRIMARY KEY)").format(sql.Identifier(name), sql.Identifier(name))
        )
        connection.execute(sql.SQL("INSERT INTO {} VALUES (1), (2)").format(sql.Identifier(name)))
        doomed = Doomed(name, (name,), sql.SQL("{} = 1").format(sql.Identifier("t", name)), name)
        assert (remove_batch(doomed, connection, 10), doomed.share(connection, 20)) == (1, Share(0, 0))
