"""Copies of a person's data (GDPR, Article 15): made in the background, sealed, taken once, then gone."""
