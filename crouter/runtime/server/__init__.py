"""The service as HTTP: the only code that knows aiohttp's server. Decisions are made elsewhere and carried out here."""
