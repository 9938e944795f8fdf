import psycopg
import pytest
from psycopg_pool import PoolTimeout

from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError, DatabaseRefusedError, translated


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("canary"), DatabaseAwayError),
        (psycopg.errors.AdminShutdown("canary"), DatabaseAwayError),
        (psycopg.errors.TooManyConnections("canary"), DatabaseAwayError),
        (psycopg.errors.QueryCanceled("canary"), DatabaseAwayError),
        (psycopg.errors.DeadlockDetected("canary"), DatabaseAwayError),
        (psycopg.errors.UniqueViolation("canary"), DatabaseRefusedError),
        (psycopg.errors.InsufficientPrivilege("canary"), DatabaseRefusedError),
        (psycopg.DataError("canary"), DatabaseRefusedError),
        (PoolTimeout("canary"), DatabaseAwayError),
        (ConnectionResetError("canary"), DatabaseAwayError),
    ],
)
def test_what_the_driver_said_is_left_behind(error: Exception, kind: type[DatabaseError]) -> None:
    with pytest.raises(DatabaseError) as caught, translated():
        raise error
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")
