import pytest

from crouter.contract.destinations import Processor
from crouter.runtime.analytics.settings import AnalyticsSettings, read_analytics
from crouter.runtime.environment import Reader
from crouter.runtime.secret import Secret

OPENPANEL = Processor(
    "openpanel", "OpenPanel", "processors.openpanel", "store", ("api.openpanel.dev",), (), ("analytics",)
)
SET = {"CROUTER_OPENPANEL_CLIENT_ID": "an-id", "CROUTER_OPENPANEL_CLIENT_SECRET": "hidden-word"}


def read(environ: dict[str, str], *, production: bool = True) -> tuple[AnalyticsSettings | None, list[str]]:
    reader = Reader(environ)
    return read_analytics(reader, OPENPANEL, production=production), reader.problems


@pytest.mark.claim("cookie-analytics")
def test_cookie_analytics__nothing_is_measured_unless_the_operator_sets_it_up() -> None:
    assert read({}) == (None, [])
    assert read_analytics(Reader(SET), None, production=True) is None
    assert read(SET) == (AnalyticsSettings("https://api.openpanel.dev", "an-id", Secret("hidden-word")), [])


@pytest.mark.claim("processor-openpanel")
@pytest.mark.parametrize(
    "url",
    [
        "http://api.openpanel.dev",
        "https://example.org",
        "http://127.0.0.1:1",
        "https://api.openpanel.dev/x",
        "https://[",
    ],
)
def test_processor_openpanel__events_go_to_a_declared_host_over_https_only(url: str) -> None:
    _, (problem,) = read({**SET, "CROUTER_OPENPANEL_URL": url})
    assert problem.startswith("CROUTER_OPENPANEL_URL")
    settings, problems = read({**SET, "CROUTER_OPENPANEL_URL": "http://127.0.0.1:1"}, production=False)
    assert (settings is not None and settings.url, problems) == ("http://127.0.0.1:1", [])


@pytest.mark.parametrize("name", sorted(SET))
def test_half_a_client_is_refused_by_name(name: str) -> None:
    for value in ("", "hidden word", "hidden\nword"):
        _, problems = read({**SET, name: value})
        assert [problem.partition(":")[0] for problem in problems] == [name]
        assert "hidden" not in str(problems)
