"""The file of a price book: how it is written, member by member.

Apart from `book`, because that module may be compiled, and a Struct is made by the interpreter.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from crouter.runtime.pricing.rates import Rate, Tier
from crouter.runtime.proxy.options import ORDINARY, ServiceOptions

_Nanousd = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_ModelId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:@/-]{1,128}$")]
_Option = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,32}$")]
_Date = Annotated[datetime, msgspec.Meta(tz=True)]

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of prices of a model: nanodollars for a token, or for a search."""

    input: _Nanousd
    output: _Nanousd
    cache_write_5m: _Nanousd
    cache_write_1h: _Nanousd
    cache_read: _Nanousd
    web_search: _Nanousd
    from_: _Date | None = msgspec.field(name="from", default=None)
    until: _Date | None = None
    service_tier: _Option = ORDINARY.service_tier
    speed: _Option = ORDINARY.speed
    inference_geo: _Option = ORDINARY.inference_geo
    above_prompt_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def options(self) -> ServiceOptions:
        return ServiceOptions(self.service_tier, self.speed, self.inference_geo)

    @property
    def begins(self) -> datetime:
        return self.from_ or BEGINNING

    @property
    def ends(self) -> datetime:
        return self.until or END

    @property
    def tier(self) -> Tier:
        rate = Rate(
            input=self.input,
            output=self.output,
            cache_write_5m=self.cache_write_5m,
            cache_write_1h=self.cache_write_1h,
            cache_read=self.cache_read,
            web_search=self.web_search,
        )
        return Tier(self.above_prompt_tokens, rate)


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _ModelId
    prices: list[Row]
    aliases: list[_ModelId] = []


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.-]{1,64}$")]
    unit: str
    source: str
    models: list[Model]
    unpriced_tools: list[Annotated[str, msgspec.Meta(min_length=1)]] = []
