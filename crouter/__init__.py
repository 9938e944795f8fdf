"""Crouter: an Anthropic-compatible API proxy whose privacy policy is executable."""
