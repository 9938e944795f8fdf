"""The figures of today, as texts: what the dashboard draws and what is told live are the same words."""

import uuid

from crouter.runtime.dashboard.live import Now
from crouter.runtime.web.amounts import usd, usd_short, usd_spent


def figures(now: Now) -> dict[str, str]:
    """By name, ready to be shown. Names are those of the page's `data-live`."""
    counts = now.totals.counts
    prompt = sum(count for name, count in counts.items() if name.endswith("_tokens") and name != "output_tokens")
    return {
        "requests": f"{now.totals.requests:,}",
        "tokens": f"{now.totals.tokens:,}",
        "prompt_tokens": f"{prompt:,}",
        "output_tokens": f"{counts.get('output_tokens', 0):,}",
        "cost": usd_spent(now.totals.cost_nanousd),
        "cost_exact": usd(now.totals.cost_nanousd),
        "balance": usd_short(now.balance_nanousd),
        "balance_exact": usd(now.balance_nanousd),
        **{minute_name(key): f"{used:,}" for key, used in now.minute.items()},
    }


def minute_name(key: uuid.UUID) -> str:
    """The name of the figure that says how many requests a key made in the last minute."""
    return f"minute_{key.hex}"
