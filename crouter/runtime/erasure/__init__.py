"""Deletions of accounts from the first word to the last copy: here, at processors, and again after a restore."""
