"""Why a measurement could not be made or may not be believed."""


class BenchError(Exception):
    """The message says what is missing or what came back wrong. No figure is given then."""
