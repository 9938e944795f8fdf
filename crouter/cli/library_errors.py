"""Turns the errors of the library that a command may end with into sentences. Everything else is a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from crouter.cli.outcome import FailureError
from crouter.contract.version import ContractMismatchError
from crouter.development.errors import DevelopmentError
from crouter.runtime.account_limits import NoLimitsError
from crouter.runtime.accounts import AccountExistsError, NoDeletionRuleError, NoSuchAccountError
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError
from crouter.runtime.database.migration_files import MigrationsRefusedError
from crouter.runtime.database.migrations import MigrationFailedError
from crouter.runtime.environment import SettingsError
from crouter.runtime.keys import GraceTooLongError, KeyLabelError, KeyLimitError, NoSuchKeyError
from crouter.runtime.sealing import SealError

# Each has a message of our own that holds no value of a row and no key.
_SENTENCES: Final = (
    AccountExistsError,
    NoDeletionRuleError,
    NoLimitsError,
    NoSuchAccountError,
    ContractMismatchError,
    GraceTooLongError,
    KeyLabelError,
    KeyLimitError,
    MigrationFailedError,
    MigrationsRefusedError,
    NoSuchKeyError,
    SealError,
    SettingsError,
)


@contextmanager
def told_as_sentences(*further: type[Exception]) -> Iterator[None]:
    """Raises FailureError in the place of every error that is expected here, `further` ones with their own message."""
    with_sentences: tuple[type[Exception], ...] = (*_SENTENCES, *further)
    try:
        yield
    except DevelopmentError as problem:
        raise FailureError(problem.sentence, problem.hint) from problem
    except DatabaseAwayError as problem:
        hint = "check DATABASE_URL; the development database is there while `crouter run` runs"
        raise FailureError(f"the database cannot be reached ({problem})", hint) from problem
    except DatabaseError as problem:
        hint = "`crouter migrate --status` says whether it fits generated/"
        raise FailureError(f"the database refused ({problem})", hint) from problem
    except with_sentences as problem:
        raise FailureError(str(problem)) from problem
