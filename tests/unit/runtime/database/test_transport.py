import pytest

from crouter.runtime.database.transport import Transport, database_transport
from crouter.runtime.environment import SettingsError
from crouter.runtime.settings import read_database_settings


@pytest.mark.claim("security-https")
@pytest.mark.parametrize(
    ("url", "environ", "transport"),
    [
        ("postgresql://postgres@/crouter", {}, "local"),
        ("postgresql://postgres@/crouter?host=/run/postgresql", {}, "local"),
        ("postgresql://postgres@%2Frun%2Fpostgresql/crouter", {}, "local"),
        ("postgresql://postgres@127.0.0.1/crouter", {}, "local"),
        ("postgresql://postgres@[::1]:5433/crouter", {}, "local"),
        ("postgresql://postgres@localhost,127.0.0.1/crouter", {}, "local"),
        ("postgresql://db.example/crouter", {}, "plain"),
        ("postgresql://localhost,db.example/crouter", {}, "plain"),
        ("postgresql://localhost/crouter?hostaddr=192.0.2.1", {}, "plain"),
        ("postgresql:///crouter", {"PGHOST": "db.example"}, "plain"),
        ("postgresql://db.example/crouter?sslmode=disable", {}, "plain"),
        ("postgresql://db.example/crouter?sslmode=allow", {}, "plain"),
        ("postgresql://db.example/crouter?sslmode=prefer", {}, "plain"),
        ("postgresql://db.example/crouter?sslmode=", {}, "plain"),
        ("postgresql://db.example/crouter?nonsense=1", {}, "plain"),
        ("postgresql://db.example/crouter?sslmode=require", {}, "encrypted"),
        ("postgresql://db.example/crouter?sslmode=verify-ca", {}, "encrypted"),
        ("postgresql://db.example/crouter?sslmode=verify-full", {}, "verified"),
        ("postgresql://db.example/crouter", {"PGSSLMODE": "verify-full"}, "verified"),
        ("postgresql://db.example/crouter?sslmode=disable", {"PGSSLMODE": "verify-full"}, "plain"),
    ],
)
def test_security_https__how_the_database_is_reached_shows_in_its_address(
    url: str, environ: dict[str, str], transport: Transport
) -> None:
    assert database_transport(url, environ) == transport


@pytest.mark.claim("security-https")
def test_security_https__production_refuses_a_way_to_the_database_that_may_be_plain_text() -> None:
    plain = {"DATABASE_URL": "postgresql://u:hidden-word@db.example/x"}
    with pytest.raises(SettingsError, match="DATABASE_URL: may send everything in plain text") as caught:
        read_database_settings(plain)
    assert "hidden-word" not in str(caught.value)
    read_database_settings({**plain, "CROUTER_ENVIRONMENT": "development"})
    read_database_settings({"DATABASE_URL": "postgresql://u@db.example/x?sslmode=require"})
    read_database_settings({"DATABASE_URL": "postgresql://u@/x?host=/run/postgresql"})
