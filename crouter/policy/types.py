"""The validated scalars of policy.yaml. What becomes an identifier, a host or a path is checked here, once.

Each carries a `Shape`: the check, and the words for it that problems, the reference and the JSON Schema share.
Leaves out what needs more than one value to decide: that is `crouter/policy/rules/`.
"""

import keyword
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Locale = Literal["en", "de", "fr"]
"""The languages whose numbers, lists and dates the library can write (ISO 639-1)."""

# A host of at least two labels, none of which begins or ends in a hyphen; the last is a word or one in Punycode.
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"({_LABEL}\.)+([a-z]{{2,63}}|xn--[a-z0-9-]{{1,58}}[a-z0-9])"

_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text of policy.yaml has to look like. As an annotation of `str` it is also the check.

    `name` is what the reference calls it, `words` complete "must be …", and `pattern` means the same in the regular
    expressions of Rust, Python and JavaScript.
    """

    name: str
    words: str
    example: str
    pattern: str
    length_max: int
    reserved: frozenset[str] = frozenset()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strict=True, min_length=1, max_length=self.length_max, pattern=self.pattern)
        return core_schema.no_info_after_validator_function(self._unreserved, text) if self.reserved else text

    def _unreserved(self, text: str) -> str:
        if text in self.reserved:
            raise ValueError("is a word of Python itself, and so cannot be a name")
        return text


Text = Annotated[
    str,
    Shape(
        name="text",
        words="one line of text without control characters and without space around it",
        example="account data",
        pattern=rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$",
        length_max=400,
    ),
]
"""One line of words for people: no control characters, no surrounding space, 1 to 400 characters."""

Identifier = Annotated[
    str,
    Shape(
        name="name",
        words="a name of lower-case letters, digits and single underscores that begins with a letter",
        example="api_key",
        pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        length_max=40,
        reserved=frozenset(keyword.kwlist),
    ),
]
"""A name that becomes a Python name, a table, a column or a log field.

SQL's reserved words are no trouble, because identifiers are quoted there.
"""

ClaimId = Annotated[
    str,
    Shape(
        name="claim id",
        words="an id of lower-case letters, digits and single hyphens that begins with a letter",
        example="exclude-content",
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        length_max=60,
    ),
]
"""The stable id of a claim, as in `exclude-content`."""

PolicyPath = Annotated[
    str,
    Shape(
        name="policy path",
        words="a dotted path into this file",
        example="data.account.email",
        pattern=r"^[a-z_]+(\.[A-Za-z0-9_-]+)*$",
        length_max=160,
    ),
]
"""A dotted path into policy.yaml, as in `data.account.email`."""

FieldPath = Annotated[
    str,
    Shape(
        name="data path",
        words="a data category or one of its fields",
        example="account.email",
        pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)?$",
        length_max=90,
    ),
]
"""A data category, or one of its fields: `account`, `account.email`."""

Host = Annotated[
    str,
    Shape(
        name="host",
        words="a host name in lower case, without scheme, port or path; `*.` in front stands for all below it",
        example="api.example.com",
        pattern=rf"^(\*\.)?{_HOST}$",
        length_max=253,
    ),
]
"""A host name in lower case; `*.` in front stands for every host one or more labels below."""

HttpsUrl = Annotated[
    str,
    Shape(
        name="address",
        words="an address that begins with https:// and a host in lower case",
        example="https://example.com/privacy",
        pattern=rf"^https://{_HOST}(:([1-9][0-9]{{0,3}}|[1-5][0-9]{{4}}))?(/[A-Za-z0-9._~%!$&()*+,;=:@/?#-]*)?$",
        length_max=400,
    ),
]
"""An absolute address; plain http is no choice anywhere."""

UrlPath = Annotated[
    str,
    Shape(
        name="URL path",
        words="a path of segments that begin with no dot; `{name}` stands for one segment",
        example="/v1/models/{id}",
        pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*|/\{[a-z_]+\})+$",
        length_max=200,
    ),
]
"""A path of our own, as in `/v1/models/{id}`."""

Email = Annotated[
    str,
    Shape(
        name="e-mail address",
        words="an e-mail address",
        example="contact@example.com",
        pattern=rf"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@{_HOST}$",
        length_max=254,
    ),
]
"""An e-mail address, the host in lower case."""

HeaderPattern = Annotated[
    str,
    Shape(
        name="header",
        words="a header name in lower case; a `*` at the end makes it a prefix",
        example="x-forwarded-*",
        pattern=r"^[a-z0-9-]+\*?$",
        length_max=80,
    ),
]
"""A header name in lower case; a trailing `*` makes it a prefix."""

CookieName = Annotated[
    str,
    Shape(
        name="cookie name",
        words="a name of letters, digits, dots, hyphens and underscores",
        example="__Host-session",
        pattern=r"^[A-Za-z0-9_.-]+$",
        length_max=80,
    ),
]
"""The name of a cookie or of a key of the browser's storage."""

MetricName = Annotated[
    str,
    Shape(
        name="metric name",
        words="a metric name of lower-case letters, digits and underscores",
        example="crouter_requests_total",
        pattern=r"^[a-z][a-z0-9_]*$",
        length_max=80,
    ),
]
"""The name of a Prometheus metric. That a counter's ends in `_total`, and no other's does, is a rule."""

DataCategoryKey = Annotated[
    str,
    Shape(
        name="data category key",
        words="a key of fideslang's data categories",
        example="user.contact.email",
        pattern=r"^(user|system)(\.[a-z_]+)*$",
        length_max=80,
    ),
]
"""A key of fideslang's data category taxonomy."""

DataUseKey = Annotated[
    str,
    Shape(
        name="data use key",
        words="a key of fideslang's data uses",
        example="essential.service.authentication",
        pattern=r"^[a-z_]+(\.[a-z_]+)*$",
        length_max=80,
    ),
]
"""A key of fideslang's data use taxonomy."""

DpvTerm = Annotated[
    str,
    Shape(
        name="DPV term",
        words="a term of the W3C Data Privacy Vocabulary, without its prefix",
        example="EmailAddress",
        pattern=r"^[A-Z][A-Za-z0-9-]*$",
        length_max=80,
    ),
]
"""A term of the W3C Data Privacy Vocabulary, without its prefix."""

RuleCode = Annotated[
    str,
    Shape(
        name="rule code",
        words="the code of a rule about promises, completeness or wording",
        example="PX-21",
        pattern=r"^P[XCW]-[0-9]{2}$",
        length_max=5,
    ),
]
"""The code of a rule that can be waived."""

_ISO_DURATION = (
    r"^P(?=.)(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,7})S)?)?$"
)

DURATION = Shape(
    name="period",
    words="a period of whole numbers as ISO 8601 writes it",
    example="P30D",
    pattern=re.sub(r"\?P<\w+>", "", _ISO_DURATION).replace(r"\d", "[0-9]"),
    length_max=40,
)

# A longer one could leave the calendar of every system that it is handed to.
_MONTHS_MAX = 1200


@dataclass(frozen=True, slots=True, order=False)
class Duration:
    """An ISO 8601 duration of calendar months, days and seconds, each a whole number.

    Months stay months: twelve months after 31 January 2024 is a date, not a number of seconds.
    `text` is the duration as written; `PT0S` and other empty ones are refused, and so is more than a century.
    """

    text: str
    months: int
    days: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `P12M`, `P30D`, `PT1H`, `P1Y6M`, `P2W`. Raises ValueError with a sentence for the author."""
        match = re.fullmatch(_ISO_DURATION, text, re.ASCII)
        # Python's $ also matches before a last line break.
        if match is None or text.endswith("\n"):
            raise ValueError("is not an ISO 8601 duration such as P12M, P30D or PT1H")
        part = {name: int(value or 0) for name, value in match.groupdict().items()}
        duration = cls(
            text=text,
            months=part["years"] * 12 + part["months"],
            days=part["weeks"] * 7 + part["days"],
            seconds=part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"],
        )
        if not (duration.months or duration.days or duration.seconds):
            raise ValueError("is a duration of nothing; name a period that ends, such as P30D")
        if duration.seconds_max > _MONTHS_MAX * 31 * 86_400:
            raise ValueError("is longer than a hundred years")
        return duration

    @property
    def seconds_min(self) -> int:
        """The fewest seconds this duration can span: a month counts as 28 days."""
        return (self.months * 28 + self.days) * 86_400 + self.seconds

    @property
    def seconds_max(self) -> int:
        """The most seconds this duration can span: a month counts as 31 days."""
        return (self.months * 31 + self.days) * 86_400 + self.seconds

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.str_schema(max_length=DURATION.length_max),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.text if isinstance(value, Duration) else value
            ),
        )
