"""A soak tells growth from a saw-tooth, and rows that are missing."""

from bench.proxying.soak import Look, Soak, report


def soaked(resident_mib: list[float], files: int = 0, metered: int = 100) -> Soak:
    looks = tuple(Look(at + 1.0, 10, mib, 20 + at * files) for at, mib in enumerate(resident_mib))
    return Soak(looks, 100, metered)


def test_memory_that_goes_on_rising_is_growth() -> None:
    assert soaked([50 + 2 * at for at in range(12)]).grows


def test_memory_that_rises_and_falls_is_none() -> None:
    assert not soaked([50, 70, 50, 70, 50, 70, 50, 70]).grows


def test_open_files_that_go_on_rising_are_growth() -> None:
    assert soaked([50.0] * 12, files=3).grows


def test_a_soak_says_what_it_found() -> None:
    assert "No growth." in report(soaked([50.0] * 8))
    assert "IT GROWS" in report(soaked([50 + 3 * at for at in range(12)]))
    assert "HAVE TO BE EQUAL" in report(soaked([50.0] * 8, metered=99))
