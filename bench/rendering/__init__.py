"""How long the generator takes, for the repository's policy and for ones many times as large."""
