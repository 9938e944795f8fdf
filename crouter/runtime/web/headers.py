"""The headers of every page: those that the policy's web declarations give, and the least that any page needs."""

from crouter.contract.web import Web

Headers = tuple[tuple[str, str], ...]


def page_headers(web: Web) -> Headers:
    """Declared headers first; `nosniff` is added where it is not declared."""
    declared = tuple((name.lower(), value) for name, value in web.response_headers)
    names = {name for name, _ in declared}
    least = (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))
    return (*declared, *(pair for pair in least if pair[0] not in names))
