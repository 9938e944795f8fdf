"""Rates, and the cost of counts at a rate: integers only, exact, no rounding anywhere."""

from dataclasses import dataclass

from crouter.runtime.proxy.usage import UsageCounts


@dataclass(frozen=True, slots=True)
class Rate:
    """Nanodollars per token, and per web search. Web fetches have no price beyond their tokens."""

    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    web_search: int


@dataclass(frozen=True, slots=True)
class Tier:
    """The rate of requests whose whole prompt is longer than `above_prompt_tokens`."""

    above_prompt_tokens: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs at one time with one combination of options; tiers rise from zero."""

    tiers: tuple[Tier, ...]

    def rate_for(self, prompt_tokens: int) -> Rate:
        """The rate of every token of a request, output included, by the length of its prompt.

        The prompt is all that was read: input, cache writes and cache reads. A prompt of exactly
        the threshold is still in the lower tier.
        """
        rate = self.tiers[0].rate
        for tier in self.tiers[1:]:
            if prompt_tokens > tier.above_prompt_tokens:
                rate = tier.rate
        return rate


def cost(counts: UsageCounts, rate: Rate) -> int:
    """Nanodollars for the counts themselves, their iterations not included; unreported counts cost nothing."""
    return (
        (counts.input_tokens or 0) * rate.input
        + (counts.output_tokens or 0) * rate.output
        + (counts.cache_creation_5m_input_tokens or 0) * rate.cache_write_5m
        + (counts.cache_creation_1h_input_tokens or 0) * rate.cache_write_1h
        + (counts.cache_read_input_tokens or 0) * rate.cache_read
        + (counts.web_search_requests or 0) * rate.web_search
    )
