"""Runs the contract server by itself: `python -m tests.contract.supabase_auth SITE_URL`. Ctrl-C ends it."""

import asyncio
import sys

from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseAuth


async def main(site_url: str) -> None:
    """Serves until it is interrupted, and says how a service is told of it."""
    async with SupabaseAuth(site_url).serving() as url:
        sys.stdout.write(
            f"CROUTER_SUPABASE_URL={url}\nCROUTER_SUPABASE_KEY={PUBLISHABLE_KEY}\n"
            f"CROUTER_SUPABASE_SECRET_KEY={SECRET_KEY}\n"
        )
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
