"""The links that stand around every page: for everybody, for who is signed in, for operators."""

from dataclasses import dataclass
from typing import Final

from crouter.runtime.server.site.visitor import Visitor

_FOR_ALL: Final = (("Pricing", "/pricing"), ("Status", "/status"), ("Privacy", "/privacy"))
_ABOUT: Final = (
    ("Privacy policy", "/privacy"),
    ("What proves it", "/privacy/proof"),
    ("Its versions", "/privacy/history"),
    ("Pricing", "/pricing"),
    ("Status", "/status"),
)
_FOR_CUSTOMERS: Final = (
    ("Dashboard", "/dashboard"),
    ("Usage", "/dashboard/usage"),
    ("Balance", "/dashboard/balance"),
    ("Keys", "/dashboard/keys"),
    ("Set-up", "/dashboard/setup"),
    ("Your data", "/account/privacy"),
)
_FOR_OPERATORS: Final = (("Administration", "/admin"),)


@dataclass(frozen=True, slots=True)
class Link:
    """One link; `is_current` for the page that it stands on, or one below."""

    label: str
    path: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Navigation:
    """All links of one page."""

    main: tuple[Link, ...]
    account: tuple[Link, ...]
    about: tuple[Link, ...]


def navigation(path: str, visitor: Visitor | None) -> Navigation:
    """The links around the page at `path`."""
    operator = _FOR_OPERATORS if visitor is not None and visitor.is_operator else ()
    return Navigation(
        main=_links(_FOR_ALL, path),
        account=_links((*_FOR_CUSTOMERS, *operator), path),
        about=_links(_ABOUT, ""),
    )


def _links(pairs: tuple[tuple[str, str], ...], path: str) -> tuple[Link, ...]:
    # The longest that fits: below /dashboard there are pages that have links of their own.
    fitting = [target for _, target in pairs if path == target or path.startswith(f"{target}/")]
    current = max(fitting, key=len, default="")
    return tuple(Link(label, target, target == current) for label, target in pairs)
