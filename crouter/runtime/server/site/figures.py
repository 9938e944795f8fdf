"""The figures of today, as texts: what the dashboard draws and what is told live are the same words."""

from crouter.runtime.dashboard.live import Now
from crouter.runtime.web.amounts import usd, usd_short


def figures(now: Now) -> dict[str, str]:
    """By name, ready to be shown. Names are those of the page's `data-live`."""
    counts = now.totals.counts
    prompt = sum(count for name, count in counts.items() if name.endswith("_tokens") and name != "output_tokens")
    return {
        "requests": f"{now.totals.requests:,}",
        "tokens": f"{now.totals.tokens:,}",
        "prompt_tokens": f"{prompt:,}",
        "output_tokens": f"{counts.get('output_tokens', 0):,}",
        "cost": usd(now.totals.cost_nanousd),
        "balance": usd_short(now.balance_nanousd),
        "balance_exact": usd(now.balance_nanousd),
    }
