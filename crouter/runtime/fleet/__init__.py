"""Limits of keys that many machines share, through a Redis of the operator's own."""
