import pytest

from crouter.contract.web import Web
from crouter.runtime.web.headers import page_headers


@pytest.mark.claim("cookie-analytics")
@pytest.mark.claim("cookie-no-ads")
def test_declared_headers_come_first_and_the_least_is_added() -> None:
    web = Web((), (), None, (("Content-Security-Policy", "default-src 'none'"), ("Referrer-Policy", "same-origin")), ())
    assert page_headers(web) == (
        ("content-security-policy", "default-src 'none'"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    )
