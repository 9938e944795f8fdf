"""Spending limits: what a key and an account may spend in a calendar month, UTC."""
